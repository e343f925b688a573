/** Mean losses of a head after some epoch. */
export interface HeadLosses {
  readonly train: number;
  readonly validation: number;
}

/** Less overfitting than this is taken for this much, so that a head which did not overfit at all is not the only one that counts. */
const LEAST_OVERFITTING = 1e-3;

/**
 * How much each head's loss counts, from how its losses moved between two epochs: what it gained on validation samples by the square of what it
 * overfitted.
 *
 * w_h = (G_h / O_h²) / Σ_j G_j / O_j²,  G = L^V(before) − L^V(now),  O = (L^V − L^T)(now) − (L^V − L^T)(before), |O| 0.001 at least
 *
 * A head that gained nothing has 0.
 *
 * @returns `undefined` where no head gained anything: then nothing can be said.
 * @see Wang et al., What Makes Training Multi-modal Classification Networks Hard? (CVPR 2020), Prop. 1 and Alg. 1
 */
export function blendWeights<H extends string>(
  before: Readonly<Record<H, HeadLosses>>,
  now: Readonly<Record<H, HeadLosses>>,
): Record<H, number> | undefined {
  const gap = ({ train, validation }: HeadLosses): number => validation - train;
  const heads = Object.keys(now) as H[];
  const ratios = heads.map((head) => {
    const gained = Math.max(0, before[head].validation - now[head].validation);
    const overfitted = Math.max(LEAST_OVERFITTING, Math.abs(gap(now[head]) - gap(before[head])));
    return gained / overfitted ** 2;
  });
  const sum = ratios.reduce((total, ratio) => total + ratio, 0);
  if (sum === 0) return undefined;
  return Object.fromEntries(heads.map((head, i) => [head, (ratios[i] as number) / sum])) as Record<H, number>;
}

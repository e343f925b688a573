/** What Adam keeps of one number. */
export interface AdamMoments {
  readonly mean: number;
  readonly square: number;
  readonly steps: number;
}

/** By how much Adam changes a number, with its usual β of 0.9 and 0.999, and what it keeps. */
export function adamChange(
  { mean, square, steps }: AdamMoments,
  gradient: number,
  learningRate: number,
): { readonly change: number; readonly moments: AdamMoments } {
  const moments = {
    mean: 0.9 * mean + 0.1 * gradient,
    square: 0.999 * square + 0.001 * gradient ** 2,
    steps: steps + 1,
  };
  const size = Math.sqrt(moments.square / (1 - 0.999 ** moments.steps)) + 1e-8;
  return { change: (-learningRate * moments.mean) / (1 - 0.9 ** moments.steps) / size, moments };
}

/** r_h = ρ_h / mean ρ of the heads that are there, ρ_h = L_h / L_h⁰: above 1 where a head has learned less than the others. */
export function slowness(
  losses: Readonly<Record<string, number>>,
  first: Readonly<Record<string, number>>,
): Record<string, number> {
  const ratios = Object.entries(losses).map(
    ([head, loss]) => [head, loss / Math.max(first[head] as number, 1e-12)] as const,
  );
  const mean = ratios.reduce((sum, [, ratio]) => sum + ratio, 0) / ratios.length;
  return Object.fromEntries(ratios.map(([head, ratio]) => [head, mean > 0 ? ratio / mean : 1]));
}

/**
 * The gradient of Σ_h |w_h n_h − n̄ r_h| by each w_h, of one sample: n_h the norm of its logits, n̄ the mean of all w_h n_h, a constant.
 *
 * @param norms Of the heads that the sample has.
 */
export function balanceGradient(
  norms: Readonly<Record<string, number>>,
  weights: Readonly<Record<string, number>>,
  slow: Readonly<Record<string, number>>,
): Record<string, number> {
  const heads = Object.entries(norms).map(
    ([head, norm]) => [head, norm, (weights[head] as number) * norm] as const,
  );
  const mean = heads.reduce((sum, [, , weighed]) => sum + weighed, 0) / heads.length;
  return Object.fromEntries(
    heads.map(([head, norm, weighed]) => [head, Math.sign(weighed - mean * (slow[head] as number)) * norm]),
  );
}

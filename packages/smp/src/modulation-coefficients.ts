import { perModality, type PerModality } from '@g2d/core';

/**
 * The factor of each modality's gradients: 1 for those that train, 0 or a small number for the others.
 *
 * κ_m = 1 if m is prioritized, else 0 (complete suppression) or 1 − tanh(ρ_m / ρ_p) (partial, p the prioritized one)
 *
 * Partial suppression is made for a dominant modality: ρ_m ≥ ρ_p gives κ ≤ 0.24. From the second phase of three
 * modalities on, one that is *less* confident than p is suppressed too, and the same formula then gives it more, up to 1.
 *
 * @param modalities All of them.
 * @param prioritized Those that train, from `prioritizedModalities`.
 * @param partial ρ of each modality, for partial suppression. Those with `null`, which no sample has, get 0. Default:
 * complete suppression.
 * @example
 * modulationCoefficients(['audio', 'image'], ['image']); // { audio: 0, image: 1 }
 * modulationCoefficients(['audio', 'image'], ['image'], { audio: 0.9, image: 0.6 }); // { audio: 0.095, image: 1 }
 * @see G2D, Sec. 3.2, Eq. 7
 * @see G2D, Table 6
 */
export function modulationCoefficients<M extends string>(
  modalities: readonly M[],
  prioritized: readonly M[],
  partial?: PerModality<M, number | null>,
): PerModality<M, number> {
  const reference = partial?.[prioritized[0] as M] ?? 0;
  return perModality(modalities, (modality) => {
    if (prioritized.includes(modality)) return 1;
    const rho = partial?.[modality] ?? null;
    // Two zeros are as equal as any other two.
    return rho === null ? 0 : 1 - Math.tanh(rho === reference ? 1 : rho / reference);
  });
}

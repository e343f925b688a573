import { perModality, type PerModality } from '@g2d/tensor-ops';

/**
 * The factor of each modality's gradients: 1 for those that train, 0 for the others.
 *
 * κ_m = 1 if m is prioritized, else 0
 *
 * @param modalities All of them.
 * @param prioritized Those that train, from `prioritizedModalities`.
 * @example
 * modulationCoefficients(['audio', 'image'], ['image']); // { audio: 0, image: 1 }
 * @see G2D, Sec. 3.2, Eq. 7
 */
export function modulationCoefficients<M extends string>(
  modalities: readonly M[],
  prioritized: readonly M[],
): PerModality<M, number> {
  return perModality(modalities, (modality) => (prioritized.includes(modality) ? 1 : 0));
}

import type { PerModality } from '@g2d/core';

/**
 * The modalities from the least to the most confident: π_t.
 *
 * Equal confidences keep the order of the record's keys; the paper leaves ties open and the released code stops. Who
 * trains does not depend on that order if `prioritizedModalities` knows the confidences.
 *
 * @param confidence ρ of each modality; those with `null`, which no sample has, are left out.
 * @example
 * rankModalities({ audio: 0.9, image: 0.6 }); // ['image', 'audio']
 * @see G2D, Sec. 3.2
 */
export function rankModalities<M extends string>(confidence: PerModality<M, number | null>): M[] {
  const ranked = (Object.keys(confidence) as M[]).filter((modality) => confidence[modality] !== null);
  const rho = confidence as PerModality<M, number>;
  return ranked.sort((a, b) => rho[a] - rho[b]);
}

import type { PerModality } from '@g2d/tensor-ops';

/**
 * The modalities from the least to the most confident: π_t.
 *
 * Equal confidences keep the order of the record's keys; the paper leaves ties open and the released code stops.
 *
 * @param confidence ρ of each modality.
 * @example
 * rankModalities({ audio: 0.9, image: 0.6 }); // ['image', 'audio']
 * @see G2D, Sec. 3.2
 */
export function rankModalities<M extends string>(confidence: PerModality<M, number>): M[] {
  return (Object.keys(confidence) as M[]).sort((a, b) => confidence[a] - confidence[b]);
}

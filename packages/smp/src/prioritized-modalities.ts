import type { PerModality } from '@g2d/core';
import { assertKnown } from './checks.js';

/** Settings of `prioritizedModalities`. */
export interface PrioritizedModalitiesOptions<M extends string> {
  /**
   * Where phases end. `'paper'` (default): phase j is c_{j−1} < e ≤ c_j, and one of 0 epochs does not happen. `'released'`: the
   * released code counts from 0 and takes both ends of its window, e − 1 ≤ c_j, so that every phase but the last ends one
   * epoch later, and τ_1 = 150 is 151 epochs. Phase 1 then has at least the first epoch: τ_1 = 0 does not turn it off, with
   * two modalities or with more. Later phases start later and keep their lengths; one of 0 epochs does not happen.
   */
  readonly schedule?: 'paper' | 'released';
  /** ρ. Given, every modality exactly as confident as the prioritized one trains along with it. Default: it trains alone. */
  readonly confidence?: PerModality<M, number | null>;
}

/**
 * The modalities that train in an epoch.
 *
 * With c_j = τ_1 + … + τ_j: for c_{j−1} < e ≤ c_j and j < k the j-th least confident modality alone, afterwards all.
 *
 * @param ranking π_t, least confident first. If a modality is missing from it, phase j takes the min(j, n)-th of the n that
 * are ranked.
 * @param epoch e, counted from 1.
 * @param phaseEpochs τ_1 … τ_k in epochs. The last is the joint phase, which also goes on beyond it.
 * @param options Who trains along in a tie, and where phases end.
 * @returns Some of the ranking; in the joint phase `ranking` itself.
 * @example
 * prioritizedModalities(['image', 'audio'], 1, [30, 30]); // ['image']
 * prioritizedModalities(['image', 'audio'], 31, [30, 30], { schedule: 'released' }); // ['image'], one epoch longer
 * @see G2D, Sec. 3.2, Eq. 6
 */
export function prioritizedModalities<M extends string>(
  ranking: readonly M[],
  epoch: number,
  phaseEpochs: readonly number[],
  options: PrioritizedModalitiesOptions<M> = {},
): readonly M[] {
  const { schedule, confidence } = options;
  assertKnown(options, { schedule, confidence });
  let end = schedule === 'released' ? 1 : 0;
  const j = phaseEpochs.slice(0, -1).findIndex((epochs) => epoch <= (end += epochs));
  if (j < 0 || !ranking.length) return ranking;
  const prioritized = (ranking[j] ?? ranking.at(-1)) as M;
  if (!confidence) return [prioritized];
  return ranking.filter((modality) => confidence[modality] === confidence[prioritized]);
}

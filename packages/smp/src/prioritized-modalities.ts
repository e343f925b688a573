/**
 * The modalities that train in an epoch.
 *
 * With c_j = τ_1 + … + τ_j: for c_{j−1} < e ≤ c_j and j < k the j-th least confident modality alone, afterwards all.
 *
 * @param ranking π_t, least confident first, k names.
 * @param epoch e, counted from 1.
 * @param phaseEpochs τ_1 … τ_k in epochs. The last is the joint phase, which also goes on beyond it.
 * @example
 * prioritizedModalities(['image', 'audio'], 1, [30, 30]); // ['image']
 * @see G2D, Sec. 3.2, Eq. 6
 */
export function prioritizedModalities<M extends string>(
  ranking: readonly M[],
  epoch: number,
  phaseEpochs: readonly number[],
): readonly M[] {
  let end = 0;
  for (let j = 0; j < ranking.length - 1; j++) {
    end += phaseEpochs[j] ?? 0;
    if (epoch <= end) return [ranking[j] as M];
  }
  return ranking;
}

import { OptionError } from '@g2d/core';
import type { Accuracies } from '../run.js';

/**
 * How far the best and the worst learned modality of a model lie apart: the largest minus the smallest score of the modalities'
 * own heads.
 *
 * max_m s_m − min_m s_m
 *
 * What the paper and others call the modality gap is the distance of features: `featureGap`.
 *
 * @param scores By modality, for example accuracies in percent: `run.summary.test`, or `accuracy` of `evaluate` in
 * `@g2d/trainer`. `fused` is no modality and left out.
 * @returns In the unit of the scores, from 0; accuracies in percent give points.
 * @throws {OptionError} If there are fewer than two modalities, or a score is not finite.
 * @example
 * scoreGap({ fused: 70, audio: 62, image: 41.5 }); // 20.5
 */
export function scoreGap(scores: Accuracies): number {
  const own = Object.entries(scores).filter(([head]) => head !== 'fused');
  if (own.length < 2) {
    const found = own.map(([modality]) => modality).join(', ') || 'none';
    throw new OptionError(`A gap needs the scores of two modalities or more; there is ${found}.`, {
      option: 'scores',
      value: scores,
      accepted: 'two modalities or more',
    });
  }
  for (const [modality, score] of own) {
    if (Number.isFinite(score)) continue;
    throw new OptionError(`The score of ${modality} is ${score}; give finite numbers.`, {
      option: 'scores',
      value: score,
      accepted: 'finite numbers',
    });
  }
  const values = own.map(([, score]) => score);
  return Math.max(...values) - Math.min(...values);
}

import { perModality, type PerModality, type Step } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { mmtmOf, type MmtmOutputs } from './mmtm-fusion.js';
import type { RunningMean } from './running-mean.js';

/**
 * (a_m − a'_m) / a_m of a batch, the conditional utilization rate of the others: how much less often u_m is right when the others' features are
 * means. NaN where it is never right.
 *
 * @see Wu et al., ICML 2022
 */
export function conditionalUtilization<M extends string>(
  { features, unimodalLogits }: MmtmOutputs<M>,
  step: Step<M>,
  means: PerModality<M, RunningMean>,
): Record<M, number> {
  const { modalities } = step.model;
  const network = mmtmOf(step.model);
  const right = (logits: tf.Tensor2D): tf.Tensor1D =>
    tf.cast(tf.equal(tf.argMax(logits, 1), step.batch.labels), 'float32') as tf.Tensor1D;
  const alone = (m: M): tf.Tensor2D => {
    const others = perModality(modalities, (other) =>
      other === m || means[other].steps === 0
        ? features[other]
        : tf.add<tf.Tensor2D>(tf.zerosLike(features[other]), means[other].mean),
    );
    return network.logits(m, features[m], network.excitation(m, others));
  };
  const all = step.meanByModality(perModality(modalities, (m) => right(unimodalLogits[m])));
  const own = step.meanByModality(perModality(modalities, (m) => right(alone(m))));
  return perModality(modalities, (m) => (all[m] > 0 ? (all[m] - own[m]) / all[m] : NaN));
}

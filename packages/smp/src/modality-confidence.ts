import * as tf from '@tensorflow/tfjs-core';
import { trueClassProbability, warnOfProbabilities } from '@g2d/tensor-ops';
import { assertKnown } from './checks.js';
import { meanOverPresent, type PresenceOption } from './mean-over-present.js';

/**
 * Mean probability a unimodal teacher gives the true class over a batch: its confidence.
 *
 * ρ = (1/B) Σ_i softmax(u_i^T)[y_i]
 *
 * @param labels True class ids, int32 `[B]`, each in [0, C).
 * @param logits Unnormalized teacher scores, float32 `[B, C]`. Not probabilities: what looks like them is said once.
 * @param options `present`: 1 for the samples that have the modality, 0 for the others, float32 `[B]`; the mean is then
 * over the former. Default: all have it.
 * @returns Scalar in [0, 1]; dispose it. NaN if no sample has the modality: `update` refuses NaN, so look at the mask
 * first and give `update` a `null`. The inputs are left alone.
 * @throws {ShapeError} If the batch sizes differ.
 * @example
 * modalityConfidence(tf.tensor1d([0], 'int32'), tf.tensor2d([[0, 0]])).print(); // 0.5
 * @see G2D, Sec. 3.2, Eq. 5
 */
export function modalityConfidence(
  labels: tf.Tensor1D,
  logits: tf.Tensor2D,
  options: PresenceOption = {},
): tf.Scalar {
  assertKnown(options, { present: 0 });
  warnOfProbabilities('logits', logits);
  return tf.tidy(() => meanOverPresent(trueClassProbability(labels, logits), options));
}

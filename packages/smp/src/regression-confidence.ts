import * as tf from '@tensorflow/tfjs-core';
import { assertShape } from '@g2d/tensor-ops';
import { assertKnown, wrongOption } from './checks.js';
import { meanOverPresent, type PresenceOption } from './mean-over-present.js';

/** Settings of `regressionConfidence`. */
export interface RegressionConfidenceOptions extends PresenceOption {
  /**
   * Variance of the targets over the training set, > 0: the error at which a sample counts 1/e. A larger one brings all
   * confidences nearer to 1, and does not change who is least confident on a single sample.
   */
  readonly variance: number;
}

/**
 * Confidence of a unimodal teacher that predicts a number: 1 without error, towards 0 the larger the errors are.
 *
 * ρ = (1/B) Σ_i exp(−(sigmoid(u_i^T) − y_i)² / var(y))
 *
 * Takes the place of Eq. 5, which needs classes, where the task is regression; the paper does not say what does.
 *
 * @param targets float32 `[B]`, each in [0, 1].
 * @param outputs The teacher's output before its sigmoid, float32 `[B]` or `[B, 1]`.
 * @param options `variance`, and `present` as in `modalityConfidence`.
 * @returns Scalar in [0, 1]; dispose it. NaN if no sample has the modality, as with `modalityConfidence`.
 * @throws {OptionError} If the variance is not above 0.
 * @throws {ShapeError} If the batch sizes differ.
 * @example
 * regressionConfidence(tf.tensor1d([0.5]), tf.tensor1d([0]), { variance: 0.1 }).print(); // 1: sigmoid(0) is right
 * @see G2D, Sec. 3.2, Eq. 5
 */
export function regressionConfidence(
  targets: tf.Tensor1D,
  outputs: tf.Tensor1D | tf.Tensor2D,
  options: RegressionConfidenceOptions,
): tf.Scalar {
  const { variance, present } = options;
  assertKnown(options, { variance, present });
  if (!(variance > 0 && variance < Infinity)) {
    throw wrongOption('variance', variance, 'a number above 0');
  }
  const [batch] = targets.shape;
  assertShape('targets', targets, [null], '[B]');
  assertShape('outputs', outputs, outputs.rank === 2 ? [batch, 1] : [batch], '[B] or [B, 1]');
  return tf.tidy(() => {
    const error = tf.squaredDifference(tf.sigmoid(tf.reshape(outputs, [batch])), targets);
    return meanOverPresent(tf.exp(tf.div(error, -variance)) as tf.Tensor1D, options);
  });
}

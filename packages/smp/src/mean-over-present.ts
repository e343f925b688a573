import * as tf from '@tensorflow/tfjs-core';
import { assertShape } from '@g2d/tensor-ops';

/** Which samples of a batch have the modality. */
export interface PresenceOption {
  /** float32 `[B]` of 0 and 1. Default: all. */
  readonly present?: tf.Tensor1D;
}

/** Mean of scores in [0, 1], `[B]` → scalar, over the samples that are present; NaN if none is. */
export function meanOverPresent(scores: tf.Tensor1D, { present }: PresenceOption): tf.Scalar {
  if (present) assertShape('present', present, scores.shape, '[B]');
  const mean = present
    ? // Chosen, not multiplied: what a teacher makes of an absent input may be NaN.
      tf.div(tf.sum(tf.where(tf.greater(present, 0), scores, 0)), tf.sum(present))
    : tf.mean(scores);
  // Float32 rounding must not carry a mean of ones beyond 1.
  return tf.minimum(mean, 1);
}

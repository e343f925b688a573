import type * as tf from '@tensorflow/tfjs-core';
import { crossEntropy } from '@g2d/tensor-ops';

/**
 * The student's task loss: cross-entropy of the fused logits.
 *
 * L_S = −(1/B) Σ_i log softmax(z_i)[y_i]
 *
 * @param labels True class ids, int32 `[B]`.
 * @param logits Fused logits z of the student, float32 `[B, C]`.
 * @returns Scalar ≥ 0; dispose it.
 * @throws {ShapeError} If the batch sizes differ.
 * @example
 * studentLoss(tf.tensor1d([0], 'int32'), tf.tensor2d([[0, 0]])).print(); // 0.6931472
 * @see G2D, Sec. 3.1, Eq. 1
 */
export function studentLoss(labels: tf.Tensor1D, logits: tf.Tensor2D): tf.Scalar {
  return crossEntropy(labels, logits);
}

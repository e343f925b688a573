import * as tf from '@tensorflow/tfjs-core';
import { TENSORFLOW } from './tensorflow/operations.js';
import { registerSoftmaxCrossEntropy, softmaxCrossEntropy } from './tensorflow/softmax-cross-entropy.js';
import { assertLabels, oneHotLabels } from './true-class-probability.js';

/**
 * Mean cross-entropy of class ids and logits.
 *
 * CE = −(1/B) Σ_i log softmax(logits_i)[y_i]
 *
 * @param labels True class ids, int32 `[B]`, each in [0, C).
 * @param logits Unnormalized scores, float32 `[B, C]`.
 * @returns Scalar ≥ 0; dispose it. The inputs are left alone.
 * @throws {ShapeError} If the batch sizes differ.
 * @throws An error of TensorFlow's for a label outside of [0, C) on the `tensorflow` backend; on others the loss is NaN.
 * @example
 * crossEntropy(tf.tensor1d([0], 'int32'), tf.tensor2d([[0, 0]])).print(); // 0.6931472
 */
export function crossEntropy(labels: tf.Tensor1D, logits: tf.Tensor2D): tf.Scalar {
  assertLabels(labels, logits);
  if (tf.getBackend() === TENSORFLOW && labels.dtype === 'int32') {
    registerSoftmaxCrossEntropy();
    return tf.tidy(() => tf.mean(softmaxCrossEntropy(labels, logits)) as tf.Scalar);
  }
  return tf.tidy(() => {
    const oneHot = oneHotLabels(labels, logits.shape[1]);
    // log-softmax, since log(softmax) underflows below −88 in float32.
    const logProbability = tf.sum(tf.mul(oneHot, tf.logSoftmax(logits)), 1);
    // A label that is no class has no 1 anywhere: 0 / 0 makes the loss NaN in place of silently smaller.
    return tf.neg(tf.mean(tf.div(logProbability, tf.sum(oneHot, 1)))) as tf.Scalar;
  });
}

import * as tf from '@tensorflow/tfjs-core';

/**
 * −log softmax(logits)[y] of each sample, `[B]`.
 *
 * @param floor Least probability that counts; 0: none.
 */
export const trueClassLoss = (labels: tf.Tensor1D, logits: tf.Tensor2D, floor = 0): tf.Tensor1D =>
  tf.tidy(() => {
    const hot = tf.oneHot(labels, logits.shape[1]);
    const own = tf.sum<tf.Tensor1D>(tf.mul(tf.logSoftmax(logits), hot), 1);
    return tf.neg(floor > 0 ? tf.maximum<tf.Tensor1D>(own, Math.log(floor)) : own);
  });

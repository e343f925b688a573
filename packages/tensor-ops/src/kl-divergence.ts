import * as tf from '@tensorflow/tfjs-core';
import { assertSameShape, assertShape } from './assert.js';

/**
 * Kullback-Leibler divergence of two distributions given by logits, mean over the batch.
 *
 * KL(p ‖ q) = (1/B) Σ_i Σ_c p_ic (log p_ic − log q_ic), p = softmax(target), q = softmax(prediction)
 *
 * @param target Logits of p, float32 `[B, C]`.
 * @param prediction Logits of q, float32 `[B, C]`.
 * @returns Scalar ≥ 0; dispose it. The inputs are left alone.
 * @throws {ShapeError} If the shapes differ.
 * @example
 * klDivergence(tf.tensor2d([[2, 1, 0]]), tf.tensor2d([[0, 0, 0]])).print(); // 0.2662168
 */
export function klDivergence(target: tf.Tensor2D, prediction: tf.Tensor2D): tf.Scalar {
  assertShape('target', target, [null, null], '[B, C]');
  assertSameShape('prediction', prediction, 'target', target);
  return tf.tidy(() => {
    // Both logarithms from log-softmax: with finite logits a class of p = 0 contributes 0 and never 0 · −∞.
    const logTarget = tf.logSoftmax(target);
    const difference = tf.sub(logTarget, tf.logSoftmax(prediction));
    return tf.mean(tf.sum(tf.mul(tf.exp(logTarget), difference), 1));
  });
}

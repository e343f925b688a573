import * as tf from '@tensorflow/tfjs-core';
import { assertSameShape, assertShape } from './assert.js';

/**
 * Kullback-Leibler divergence of yes-or-no distributions given by logits, one for each class: mean over the batch and the classes.
 *
 * KL(p ‖ q) = (1/BC) Σ_i Σ_c p_ic (log p_ic − log q_ic) + (1 − p_ic) (log(1 − p_ic) − log(1 − q_ic)), p = σ(target), q = σ(prediction)
 *
 * @param target Logits of p, float32 `[B, C]`.
 * @param prediction Logits of q, float32 `[B, C]`.
 * @returns Scalar ≥ 0; dispose it. The inputs are left alone.
 * @throws {ShapeError} If the shapes differ.
 * @example
 * bernoulliDivergence(tf.tensor2d([[2, 0]]), tf.tensor2d([[0, 0]])).print(); // 0.1639067
 */
export function bernoulliDivergence(target: tf.Tensor2D, prediction: tf.Tensor2D): tf.Scalar {
  assertShape('target', target, [null, null], '[B, C]');
  assertSameShape('prediction', prediction, 'target', target);
  return tf.tidy(() => {
    // −log σ(z) = softplus(−z), finite wherever the logits are: an answer of p = 0 contributes 0 and never 0 · ∞.
    const part = (sign: 1 | -1): tf.Tensor => {
      const minusLog = tf.softplus(tf.mul(target, -sign));
      return tf.mul(tf.exp(tf.neg(minusLog)), tf.sub(tf.softplus(tf.mul(prediction, -sign)), minusLog));
    };
    return tf.mean(tf.add(part(1), part(-1))) as tf.Scalar;
  });
}

import * as tf from '@tensorflow/tfjs-core';

/** Probabilities below it count as it, as in Keras. */
const FLOOR = 1e-7;

/** Σ over the batch of the mean over time of KL(softmax P ‖ softmax Q), of `[B, T, W]`. */
function divergence(p: tf.Tensor3D, q: tf.Tensor3D): tf.Scalar {
  const [from, to] = [p, q].map((x) => tf.clipByValue(tf.softmax(x), FLOOR, 1)) as [tf.Tensor, tf.Tensor];
  const ofSteps = tf.sum(tf.mul(from, tf.log(tf.div(from, to))), 2);
  return tf.sum(tf.mean(ofSteps, 1));
}

/** The divergence in both directions. */
export const bothWays = (p: tf.Tensor3D, q: tf.Tensor3D): tf.Scalar =>
  tf.add(divergence(p, q), divergence(q, p));

/** ½ 10⁻⁴ Σ ‖w‖². */
export const l2 = (weights: readonly tf.Tensor[]): tf.Scalar =>
  tf.mul(tf.addN(weights.map((w) => tf.sum(tf.square(w)))), 0.5e-4);

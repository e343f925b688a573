import * as tf from '@tensorflow/tfjs-core';
import { assertShape } from './assert.js';

/** Throws a `ShapeError` unless `logits` is `[B, C]` and `labels` is `[B]`. */
export function assertLabels(labels: tf.Tensor, logits: tf.Tensor): void {
  assertShape('logits', logits, [null, null], '[B, C]');
  assertShape('labels', labels, [logits.shape[0] as number], `[B] with B = ${logits.shape[0]}`);
}

/** `[B, C]` float32: 1 at each sample's class. Cast, since the WASM backend writes integer bits into a float32 `oneHot`. */
export const oneHotLabels = (labels: tf.Tensor1D, classes: number): tf.Tensor2D =>
  tf.cast(tf.oneHot(labels, classes), 'float32') as tf.Tensor2D;

/**
 * Probability that each sample's true class gets.
 *
 * p_i = softmax(logits_i)[y_i]
 *
 * @param labels True class ids, int32 `[B]`, each in [0, C).
 * @param logits Unnormalized scores, float32 `[B, C]`. Do not pass probabilities.
 * @returns float32 `[B]`, each in [0, 1]; dispose it. The inputs are left alone.
 * @throws {ShapeError} If the batch sizes differ.
 * @example
 * trueClassProbability(tf.tensor1d([1], 'int32'), tf.tensor2d([[0, 0]])).print(); // [0.5]
 */
export function trueClassProbability(labels: tf.Tensor1D, logits: tf.Tensor2D): tf.Tensor1D {
  assertLabels(labels, logits);
  return tf.tidy(() => tf.sum(tf.mul(oneHotLabels(labels, logits.shape[1]), tf.softmax(logits)), 1));
}

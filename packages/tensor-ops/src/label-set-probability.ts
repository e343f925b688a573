import * as tf from '@tensorflow/tfjs-core';
import { assertSameShape, assertShape } from './assert.js';

/** Throws a `ShapeError` unless `logits` and `labels` are `[B, C]`. */
export function assertLabelSets(labels: tf.Tensor, logits: tf.Tensor): void {
  assertShape('logits', logits, [null, null], '[B, C]');
  assertSameShape('labels', labels, 'logits', logits);
}

/**
 * Probability that each sample's set of classes gets, as the geometric mean over the classes: comparable whatever their number is.
 *
 * p_i = (Π_c σ(z_ic)^y_ic (1 − σ(z_ic))^(1 − y_ic))^(1/C) = exp(−BCE_i)
 *
 * @param labels float32 `[B, C]`: 1 for each class that a sample has, 0 for the others.
 * @param logits Scores before their sigmoid, float32 `[B, C]`. Do not pass probabilities.
 * @returns float32 `[B]`, each in [0, 1]; dispose it. The inputs are left alone.
 * @throws {ShapeError} If the shapes differ.
 * @example
 * labelSetProbability(tf.tensor2d([[1, 0]]), tf.tensor2d([[0, 0]])).print(); // [0.5]
 */
export function labelSetProbability(labels: tf.Tensor2D, logits: tf.Tensor2D): tf.Tensor1D {
  assertLabelSets(labels, logits);
  return tf.tidy(() => {
    // −log σ(z) = softplus(−z) of a class that the sample has, −log σ(−z) = softplus(z) of others.
    const signed = tf.mul(logits, tf.sub(1, tf.mul(labels, 2)));
    return tf.exp(tf.neg(tf.mean(tf.softplus(signed), 1))) as tf.Tensor1D;
  });
}

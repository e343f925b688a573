import { stopGradient } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';

/** How many samples have each class. */
export function classCounts(labels: readonly number[], classes: number): number[] {
  const counts = Array.from({ length: classes }, () => 0);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}

/** How far a class that nobody has is below the others' smallest. */
const BELOW = 100;

const oneHot = (labels: readonly number[], classes: number): tf.Tensor2D =>
  tf.oneHot(tf.tensor1d([...labels], 'int32'), classes, 1, 0, 'float32') as tf.Tensor2D;

/** Σ of the latent vectors of each class, `[C, d]`. */
const sumsOf = (h: tf.Tensor2D, labels: readonly number[], classes: number): tf.Tensor2D =>
  tf.matMul<tf.Tensor2D>(oneHot(labels, classes), h, true);

/** Logits with those of classes that no training sample has below the others. */
function withoutEmpty(logits: tf.Tensor2D, counts: readonly number[]): tf.Tensor2D {
  if (counts.every((count) => count > 0)) return logits;
  const known = tf.tensor2d([counts.map((count) => count > 0)], undefined, 'bool');
  const largest = tf.fill(logits.shape, Infinity);
  const least = tf.min(tf.where(known, logits, largest), 1, true);
  return tf.where(known, logits, tf.sub<tf.Tensor2D>(least, BELOW));
}

/**
 * F_ic: the mean of ⟨h_i, h_j⟩ over the other samples j of class c, `[N, C]`.
 *
 * ⟨h_i, Σ_j h_j⟩ in place of Σ_j ⟨h_i, h_j⟩: no N × N matrix.
 */
export function classMeansOfOthers(h: tf.Tensor2D, labels: readonly number[], classes: number): tf.Tensor2D {
  const counts = classCounts(labels, classes);
  const own = oneHot(labels, classes);
  const sums = tf.matMul(h, sumsOf(h, labels, classes), false, true);
  const squares = tf.sum(tf.square(h), 1, true);
  const others = tf.maximum(tf.sub(tf.tensor2d([counts]), own), 1);
  return withoutEmpty(tf.div(tf.sub(sums, tf.mul(own, squares)), others), counts);
}

/**
 * Σ_i max(0, 1[argmax_c F_ic ≠ y_i] + max_c F_ic − F_i,y_i): 0 exactly where all are right. A sample that is alone in its class does not count.
 *
 * @param means As `classMeansOfOthers` gives them.
 */
export function clusteringLoss(means: tf.Tensor2D, labels: readonly number[]): tf.Scalar {
  const classes = means.shape[1];
  const counts = classCounts(labels, classes);
  const y = tf.tensor1d([...labels], 'int32');
  const own = tf.sum(tf.mul(means, tf.oneHot(y, classes)), 1);
  const wrong = tf.cast(tf.notEqual(tf.argMax(stopGradient(means), 1), y), 'float32');
  const terms = tf.relu(tf.add(wrong, tf.sub(tf.max(means, 1), own)));
  const counted = tf.tensor1d(labels.map((label) => Number((counts[label] as number) > 1)));
  return tf.sum(tf.mul(terms, counted));
}

/** What predictions go by. */
export interface KnownLatents {
  /** `[N, d]`. */
  readonly latents: tf.Tensor2D;
  readonly labels: readonly number[];
  readonly classes: number;
}

/** The mean of ⟨h_i, h_j⟩ over the training samples j of each class, or the largest, `[B, C]`. */
export function classScores(
  h: tf.Tensor2D,
  { latents, labels, classes }: KnownLatents,
  decision: 'mean' | 'nearest',
): tf.Tensor2D {
  const counts = classCounts(labels, classes);
  if (decision === 'mean') {
    const sums = tf.matMul(h, sumsOf(latents, labels, classes), false, true);
    return withoutEmpty(tf.div(sums, tf.tensor2d([counts.map((count) => Math.max(count, 1))])), counts);
  }
  const products = tf.matMul(h, latents, false, true);
  const largest = counts.map((count, label) => {
    if (count === 0) return tf.zeros([h.shape[0]]);
    const members = labels.flatMap((other, j) => (other === label ? [j] : []));
    return tf.max(tf.gather(products, tf.tensor1d(members, 'int32'), 1), 1);
  });
  return withoutEmpty(tf.stack(largest, 1) as tf.Tensor2D, counts);
}

import type { SplitFeatures } from '@g2d/core';
import { randomStream } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { kMeans } from './k-means.js';

/**
 * How well the classes of a split are apart in a modality's features: the purity of a k-means clustering with as many clusters as classes,
 * of features that are scaled to [−1, 1] dimension by dimension. The same for the same features.
 *
 * @returns In (0, 1]; `undefined` where there are fewer samples than clusters.
 */
export async function separability(
  { rows, labels }: SplitFeatures,
  classes: number,
): Promise<number | undefined> {
  if (rows.length < classes || classes === 0) return undefined;
  const width = (rows[0] as Float32Array).length;
  const values = new Float32Array(rows.length * width);
  rows.forEach((row, i) => values.set(row, i * width));
  const scaled = tf.tidy(() => {
    const features = tf.tensor2d(values, [rows.length, width]);
    const [least, largest] = [tf.min(features, 0), tf.max(features, 0)];
    const range = tf.sub(largest, least);
    // A dimension in which all are alike tells nothing.
    const scale = tf.where(tf.greater(range, 0), range, tf.onesLike(range));
    return tf.sub<tf.Tensor2D>(tf.mul(tf.div(tf.sub(features, least), scale), 2), 1);
  });
  try {
    return purity(labels, await kMeans(scaled, { clusters: classes, random: randomStream(0) }));
  } finally {
    scaled.dispose();
  }
}

/** The share of samples that are of their cluster's most frequent class. */
export function purity(labels: readonly number[], clusters: ArrayLike<number>): number {
  const counts = new Map<number, Map<number, number>>();
  labels.forEach((label, i) => {
    const own = counts.get(clusters[i] as number) ?? new Map<number, number>();
    counts.set(clusters[i] as number, own.set(label, (own.get(label) ?? 0) + 1));
  });
  const most = [...counts.values()].map((own) => Math.max(...own.values()));
  return most.reduce((sum, count) => sum + count, 0) / labels.length;
}

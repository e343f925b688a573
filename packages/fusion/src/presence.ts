import * as tf from '@tensorflow/tfjs-core';
import { perModality, type PerModality, type Presence } from '@g2d/core';

/** A tensor `[B, …]` with 0 in the rows of absent samples. Selected, not multiplied: 0 · NaN is NaN. */
export function presentRows<T extends tf.Tensor>(x: T, mask: tf.Tensor1D | undefined): T {
  if (!mask) return x;
  return tf.tidy(() => {
    const rows = tf.reshape(tf.greater(mask, 0), [-1, ...x.shape.slice(1).map(() => 1)]);
    return tf.where(rows, x, tf.zerosLike(x)) as T;
  });
}

/** Features with 0 for absent samples; without masks the features themselves. */
export const presentFeatures = <M extends string>(
  modalities: readonly M[],
  features: PerModality<M, tf.Tensor2D>,
  present: Presence<M> | undefined,
): PerModality<M, tf.Tensor2D> =>
  present
    ? perModality(modalities, (modality) => presentRows(features[modality], present[modality]))
    : features;

/** 1 or 0 for each sample, `[B, 1]`. */
export const presenceColumn = (mask: tf.Tensor1D): tf.Tensor2D =>
  tf.reshape(tf.cast(tf.greater(mask, 0), 'float32'), [-1, 1]);

/** Σ of finite `[B, C]` over the modalities that each sample has. */
export const sumOverPresent = <M extends string>(
  modalities: readonly M[],
  terms: PerModality<M, tf.Tensor2D>,
  present: Presence<M> | undefined,
): tf.Tensor2D =>
  tf.addN(
    modalities.map((modality) => {
      const mask = present?.[modality];
      return mask ? tf.mul<tf.Tensor2D>(terms[modality], presenceColumn(mask)) : terms[modality];
    }),
  );

/** How many modalities each sample has: k, or `[B, 1]` with at least 1, so that it can be divided by. */
export function countPresent<M extends string>(
  modalities: readonly M[],
  present: Presence<M> | undefined,
): tf.Tensor2D | number {
  const masks = modalities.flatMap((modality) => present?.[modality] ?? []);
  if (masks.length === 0) return modalities.length;
  const counted = tf.addN(masks.map(presenceColumn));
  return tf.maximum<tf.Tensor2D>(tf.add(counted, modalities.length - masks.length), 1);
}

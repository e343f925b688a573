import * as tf from '@tensorflow/tfjs-core';

/** `[B, …]` with 0 in the rows of samples that lack a modality. Selected, not multiplied: 0 · NaN is NaN. */
export const presentRows = <T extends tf.Tensor>(x: T, mask: tf.Tensor1D | undefined): T => {
  if (!mask) return x;
  const rows = tf.reshape(tf.greater(mask, 0), [-1, ...x.shape.slice(1).map(() => 1)]);
  return tf.where(rows, x, tf.zerosLike(x)) as T;
};

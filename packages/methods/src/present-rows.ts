import * as tf from '@tensorflow/tfjs-core';

/** `[B, D]` with 0 in the rows of samples that lack a modality. Selected, not multiplied: 0 · NaN is NaN. */
export const presentRows = (x: tf.Tensor2D, mask: tf.Tensor1D | undefined): tf.Tensor2D =>
  mask ? tf.where(tf.greater(tf.reshape(mask, [-1, 1]), 0), x, tf.zerosLike(x)) : x;

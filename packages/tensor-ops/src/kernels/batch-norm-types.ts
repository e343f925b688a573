import type * as tf from '@tensorflow/tfjs-core';

/** How x is normalized. */
export interface BatchNormAttributes {
  readonly epsilon: number;
  /** Batch statistics (true) or running ones. */
  readonly training: boolean;
  /** Weight of the batch in the new running statistics: PyTorch's `momentum`. */
  readonly momentum: number;
  /** Not inputs of the kernel: nothing is differentiated with respect to them. */
  readonly mean: tf.Tensor;
  readonly variance: tf.Tensor;
}

/** What is normalized. */
export interface BatchNormInputs {
  readonly x: tf.Tensor;
  readonly gamma: tf.Tensor;
  readonly beta: tf.Tensor;
}

/** Dispose all that is there. */
export interface BatchNormResult {
  readonly y: tf.Tensor;
  /** In training, the new running mean and (unbiased) variance, as PyTorch moves them. */
  readonly mean?: tf.Tensor;
  readonly variance?: tf.Tensor;
}

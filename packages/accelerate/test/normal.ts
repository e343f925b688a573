import * as tf from '@tensorflow/tfjs-core';
import { randomStream } from '@g2d/tensor-ops';

/** Normally distributed values, the same ones for a seed and a size. */
export function normal(seed: number, ...shape: number[]): tf.Tensor {
  const random = randomStream(seed);
  return tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.normal()),
    shape,
  );
}

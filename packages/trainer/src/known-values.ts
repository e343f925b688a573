import * as tf from '@tensorflow/tfjs-core';
import { valuesOf } from '@g2d/tensor-ops';

// Labels and masks, whose values are looked at in every step: made of values that are known here, nothing has to be fetched again.

/** Some rows of a tensor. */
export function pickKnown<T extends tf.Tensor>(tensor: T, rows: readonly number[]): T {
  const values = valuesOf(tensor);
  const width = tensor.size / (tensor.shape[0] as number);
  const picked = rows.flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]);
  return tf.tensor(picked, [rows.length, ...tensor.shape.slice(1)], tensor.dtype) as T;
}

/** The rows of several tensors under each other; one that is missing has so many ones. */
export function joinKnown<T extends tf.Tensor>(
  tensors: readonly (T | undefined)[],
  sizes: readonly number[],
): T {
  const first = tensors.find((tensor) => tensor !== undefined) as T;
  const values = tensors.flatMap((tensor, i) =>
    tensor ? [...valuesOf(tensor)] : Array.from({ length: sizes[i] as number }, () => 1),
  );
  const rows = sizes.reduce((sum, size) => sum + size, 0);
  return tf.tensor(values, [rows, ...first.shape.slice(1)], first.dtype) as T;
}

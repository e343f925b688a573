import { ownValue } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';

/**
 * The rows of several batches under each other; where they differ in length (sequences), zeros behind the shorter.
 *
 * @param tensors `undefined` for a batch without.
 * @param sizes Rows of each batch.
 * @param missing What the rows of a batch without hold. Default 0.
 * @returns `undefined` if no batch has any. It may be one of the tensors given.
 */
export function joinRows(
  tensors: readonly (tf.Tensor | undefined)[],
  sizes: readonly number[],
  missing = 0,
): tf.Tensor | undefined {
  const known = tensors.filter((tensor) => tensor !== undefined);
  const [first] = known;
  if (!first) return undefined;
  const shape = first.shape
    .slice(1)
    .map((_, axis) => Math.max(...known.map((tensor) => tensor.shape[axis + 1]!)));
  const rows = tensors.map((tensor, i) => {
    if (!tensor) return tf.mul(tf.ones([sizes[i] as number, ...shape]), missing);
    const padding = tensor.shape.map((size, axis): [number, number] => [
      0,
      axis === 0 ? 0 : shape[axis - 1]! - size,
    ]);
    return padding.every(([, behind]) => behind === 0) ? tensor : tf.pad(tensor, padding);
  });
  return tf.concat(rows, 0);
}

/**
 * Records of tensors, however deep, as one: the rows of each under each other. What has no rows is left out.
 *
 * @param values Of the same structure.
 */
export function joinRecords<T>(values: readonly T[]): T {
  return joined(values) as T;
}

function joined(values: readonly unknown[]): unknown {
  const [first] = values;
  if (first instanceof tf.Tensor) return first.rank > 0 ? tf.concat(values as tf.Tensor[], 0) : undefined;
  if (typeof first !== 'object' || first === null) return undefined;
  const entries = Object.keys(first).map((key) => [
    key,
    joined(values.map((value) => ownValue(value as Record<string, unknown>, key))),
  ]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

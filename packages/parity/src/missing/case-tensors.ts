import * as tf from '@tensorflow/tfjs-core';
import { FileFormatError } from '@g2d/core';
import { tensorValues } from '../recipe.js';

/** Shape and range of what is hashed. */
export interface Range {
  readonly shape: readonly number[];
  readonly offset: number;
  readonly scale: number;
}

/** A hashed tensor as it is written: no axis is moved. */
export function hashedTensor({ seed, name }: { readonly seed: number; readonly name: string }, range: Range) {
  const { shape, offset, scale } = range;
  const size = shape.reduce((product, axis) => product * axis, 1);
  return tf.tensor(tensorValues({ seed, name, scale, offset }, size), [...shape]);
}

/** `[B, T, D]` with zeros from each sample's length on. */
export function padded(x: tf.Tensor, lengths: readonly number[]): tf.Tensor {
  return tf.tidy(() => {
    const [, steps] = x.shape as [number, number];
    const places = tf.expandDims(tf.range(0, steps), 0);
    const isReal = tf.less(places, tf.expandDims(tf.tensor1d([...lengths]), 1));
    return tf.mul(x, tf.expandDims(tf.cast(isReal, 'float32'), 2));
  });
}

/** Masks by modality from a case's rows. */
export function maskColumns(
  rows: readonly (readonly number[])[],
  columns: readonly string[],
  id: string,
): Record<string, tf.Tensor1D> {
  const strange = rows.findIndex((row) => row.length !== columns.length);
  if (strange >= 0)
    throw new FileFormatError(
      id,
      `\`masks[${strange}]\` must have ${columns.length} entries: ${columns.join(', ')}.`,
    );
  return Object.fromEntries(
    columns.map((column, i) => [column, tf.tensor1d(rows.map((row) => row[i] as number))]),
  );
}

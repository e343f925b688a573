import * as tf from '@tensorflow/tfjs-core';

/**
 * The values of several tensors, fetched at once: on a GPU every fetch waits until all that was asked before is done.
 *
 * @param tensors Of any shape; whole numbers up to 2²⁴ are exact. They are left alone; one that comes twice is fetched once.
 * @returns For each its values, row by row, as float32. To be read only.
 * @example
 * const [[loss], scores] = readTogether([total, perSample]);
 */
export function readTogether(tensors: readonly tf.Tensor[]): Float32Array[] {
  const distinct = [...new Set(tensors)];
  let all: Float32Array = new Float32Array();
  // Not through the result of `tidy`, which would look at every number of the array.
  if (distinct.length > 0)
    tf.tidy(() => {
      const flat = distinct.map((tensor) => tf.reshape(tf.cast(tensor, 'float32'), [tensor.size]));
      all = (flat.length === 1 ? (flat[0] as tf.Tensor) : tf.concat(flat)).dataSync<'float32'>();
    });
  const starts = new Map<tf.Tensor, number>();
  let end = 0;
  for (const tensor of distinct) {
    starts.set(tensor, end);
    end += tensor.size;
  }
  return tensors.map((tensor) => {
    const start = starts.get(tensor) as number;
    return all.subarray(start, start + tensor.size);
  });
}

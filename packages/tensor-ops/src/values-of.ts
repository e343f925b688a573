import * as tf from '@tensorflow/tfjs-core';

const known = new WeakMap<tf.Tensor, tf.DataTypeMap[tf.NumericDataType]>();

/**
 * The values of a tensor, fetched once however often they are asked for: labels and masks of a batch, which a step asks for again and again. Asked for before any
 * operation has used the tensor, what came from JavaScript need not be fetched at all.
 *
 * @param tensor A variable's values change: they are fetched each time. `undefined` comes back as it is.
 * @returns To be read only.
 * @example
 * const mask = valuesOf(batch.present?.audio); // undefined where all samples have audio
 */
export function valuesOf<D extends tf.NumericDataType = 'float32'>(tensor: tf.Tensor): tf.DataTypeMap[D];
export function valuesOf<D extends tf.NumericDataType = 'float32'>(
  tensor: tf.Tensor | undefined,
): tf.DataTypeMap[D] | undefined;
export function valuesOf(tensor: tf.Tensor | undefined) {
  if (!tensor) return undefined;
  if (tensor instanceof tf.Variable) return tensor.dataSync();
  const values = known.get(tensor) ?? tensor.dataSync();
  known.set(tensor, values);
  return values;
}

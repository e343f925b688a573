import type { Step } from '@g2d/core';
import { valuesOf } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';

/**
 * The mean of a number of each sample over the samples that have certain modalities, differentiable. With several processes it is this one's
 * share: the mean over the processes is the mean over their samples. 0 where no sample has them.
 *
 * @param values `[B]`; the rows of the others may hold anything.
 */
export function presentMean<M extends string>(
  values: tf.Tensor1D,
  step: Pick<Step<M>, 'batch' | 'allReduce'>,
  modalities: readonly M[],
): tf.Scalar {
  const { batch, allReduce } = step;
  const masks = modalities.flatMap((m) => valuesOf(batch.present?.[m]) ?? []);
  const rows = Array.from({ length: values.size }, (_, i) => masks.every((mask) => (mask[i] as number) > 0));
  const present = masks.length > 0 ? tf.tensor1d(rows, 'bool') : undefined;
  const count = Float64Array.of(rows.filter(Boolean).length);
  if (allReduce.processes > 1) allReduce.sum(count);
  const [all] = count as unknown as [number];
  const own = present ? tf.where(present, values, tf.zerosLike(values)) : values;
  return tf.mul(tf.sum(own), all === 0 ? 0 : allReduce.processes / all);
}

import type { Step } from '@g2d/core';
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
  const masks = modalities.flatMap((m) => batch.present?.[m] ?? []);
  const present = masks
    .map((mask) => tf.greater(mask, 0))
    .reduce<tf.Tensor | undefined>((both, mask) => (both ? tf.logicalAnd(both, mask) : mask), undefined);
  const count = Float64Array.of(
    present ? (tf.sum(tf.cast(present, 'float32')).dataSync()[0] as number) : values.size,
  );
  if (allReduce.processes > 1) allReduce.sum(count);
  const [all] = count as unknown as [number];
  const own = present ? tf.where(present, values, tf.zerosLike(values)) : values;
  return tf.mul(tf.sum(own), all === 0 ? 0 : allReduce.processes / all);
}

import type { AllReduce } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';

/** The mean over some steps of each step's mean over its samples: arrays and numbers, for a method's state. */
export interface RunningMean {
  /** How many had a sample. */
  readonly steps: number;
  /** `[D]`; empty before the first. */
  readonly mean: Float32Array;
}

export const NO_MEAN: RunningMean = { steps: 0, mean: new Float32Array() };

/**
 * The mean with that of one more step.
 *
 * @param values `[B, D]`.
 * @param options `present`: whose rows count; default: all. With several processes the samples of all of them do.
 */
export function withStep(
  { steps, mean: before }: RunningMean,
  values: tf.Tensor2D,
  { present, allReduce }: { readonly present: tf.Tensor1D | undefined; readonly allReduce: AllReduce },
): RunningMean {
  const sums = tf.tidy(() => {
    const counted = present && tf.greater(tf.expandDims(present, 1), 0);
    const rows = counted ? tf.where(counted, values, tf.zerosLike(values)) : values;
    const count = counted ? tf.sum(tf.cast(counted, 'float32')) : tf.scalar(values.shape[0]);
    return Float64Array.from(tf.concat([tf.expandDims(count), tf.sum(rows, 0)]).dataSync()) as never;
  }) as Float64Array;
  if (allReduce.processes > 1) allReduce.sum(sums);
  const [count = 0, ...sum] = sums;
  if (count === 0 || !sum.every(Number.isFinite)) return { steps, mean: before };
  const mean = Float32Array.from(sum, (value, d) => (value / count + steps * (before[d] ?? 0)) / (steps + 1));
  return { steps: steps + 1, mean };
}

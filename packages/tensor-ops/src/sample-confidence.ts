import * as tf from '@tensorflow/tfjs-core';
import { checkKeys, type Labels, type RegressionOutput } from '@g2d/core';
import { assertShape } from './assert.js';
import { labelSetProbability } from './label-set-probability.js';
import { regressionValue } from './regression-value.js';
import { trueClassProbability } from './true-class-probability.js';

/**
 * How sure a model is of what is true, sample by sample: the probability of the true class, the geometric mean of those of a set of classes
 * (`labelSetProbability`), or of a regression exp(−(ŷ_i − y_i)² / variance).
 *
 * @param labels As the task has them: int32 `[B]`, float32 `[B, C]`, or targets float32 `[B]`.
 * @param logits float32 `[B, C]`, of a regression `[B, 1]`.
 * @param options `variance`: of a regression's training targets, > 0; `null` or left out for classes. `output`: of a regression, see `regressionValue`.
 * @returns float32 `[B]`, each in [0, 1]; dispose it. The inputs are left alone.
 * @throws {ShapeError} If the shapes do not go together.
 * @example
 * sampleConfidence(tf.tensor1d([0], 'int32'), tf.tensor2d([[0, 0]])).print(); // [0.5]
 * @see G2D, Sec. 3.2, Eq. 5
 */
export function sampleConfidence(
  labels: Labels,
  logits: tf.Tensor2D,
  options: { readonly variance?: number | null; readonly output?: RegressionOutput } = {},
): tf.Tensor1D {
  const { variance = null, output } = checkKeys(
    options,
    { variance: true, output: true },
    'sampleConfidence',
  );
  if (variance === null)
    return labels.rank === 2
      ? labelSetProbability(labels as tf.Tensor2D, logits)
      : trueClassProbability(labels as tf.Tensor1D, logits);
  const [samples] = labels.shape;
  assertShape('labels', labels, [null], '[B]');
  assertShape('logits', logits, [samples as number, 1], '[B, 1]');
  return tf.tidy(() => {
    const error = tf.squaredDifference(regressionValue(tf.reshape(logits, [-1]), output), labels);
    return tf.exp(tf.div<tf.Tensor1D>(error, -variance));
  });
}

/**
 * Sum of a number of each sample over those that have a modality, and how many these are: of several batches a mean comes of it.
 *
 * @param values float32 `[B]`. Those of absent samples may be anything, NaN too. They are left alone.
 * @param present float32 `[B]` of 0 and 1. Default: all.
 * @throws {ShapeError} If the two are not of one length.
 * @example
 * totalOverPresent(tf.tensor1d([1, NaN]), tf.tensor1d([1, 0])); // { sum: 1, samples: 1 }
 */
export function totalOverPresent(
  values: tf.Tensor1D,
  present?: tf.Tensor1D,
): { readonly sum: number; readonly samples: number } {
  if (present) assertShape('present', present, values.shape, '[B]');
  return tf.tidy(() => {
    const mask = present && tf.greater(present, 0);
    // Chosen, not multiplied: what a model makes of an absent input may be NaN.
    const there = mask ? tf.where(mask, values, tf.zerosLike(values)) : values;
    const numberOf = (sum: tf.Tensor): number => sum.dataSync()[0] as number;
    return {
      sum: numberOf(tf.sum(there)),
      samples: mask ? numberOf(tf.sum(tf.cast(mask, 'float32'))) : values.size,
    };
  });
}

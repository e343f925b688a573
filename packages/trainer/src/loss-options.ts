import * as tf from '@tensorflow/tfjs-core';
import { OptionError, type RegressionOutput, type Task, type Training } from '@g2d/core';
import { assertCrossEntropyOptions, assertRegressionOutput, type CrossEntropyOptions } from '@g2d/tensor-ops';

/**
 * How a classifier's errors weigh in the task's loss, fused and of single modalities (PyTorch's `CrossEntropyLoss`), or what the value of a
 * regression is.
 */
export interface LossOptions {
  /**
   * One weight for each class, and the mean is divided by the sum of the samples' weights. `'balanced'`: n / (k · n_c) for the n training
   * samples, n_c of them of class c, and the k classes that occur; 0 for others. Default: 1 for all.
   */
  readonly classWeights?: readonly number[] | 'balanced' | undefined;
  /** ε in [0, 1]: the part of the true class that all classes share. Default 0. */
  readonly labelSmoothing?: number | undefined;
  /**
   * Of a regression: its value is the `'sigmoid'` of the output (default), for targets in [0, 1], or the output itself, `'identity'`, for
   * any targets: in the loss, in scores and in predictions.
   */
  readonly output?: RegressionOutput | undefined;
}

/** @throws {OptionError} If one is out of range, or the task has no classes. */
export function assertLossOptions({ classWeights, labelSmoothing, output }: LossOptions, task: Task): void {
  if (output !== undefined) assertRegressionOutput(output, 'loss.output');
  if (task !== 'regression' && output !== undefined) {
    throw new OptionError(`\`loss.output\` is for a regression, but this is a ${task}. Leave it out.`, {
      option: 'loss.output',
      value: output,
      accepted: 'nothing',
    });
  }
  if (task !== 'classification' && (classWeights !== undefined || labelSmoothing)) {
    const option = classWeights === undefined ? 'loss.labelSmoothing' : 'loss.classWeights';
    throw new OptionError(`\`${option}\` is for classes, but this is a ${task}. Leave it out.`, {
      option,
      value: classWeights ?? labelSmoothing,
      accepted: 'nothing',
    });
  }
  assertCrossEntropyOptions({
    ...(classWeights !== 'balanced' && { classWeights }),
    labelSmoothing,
  });
}

/** Settings of the cross-entropy for logits of so many classes. */
export type CrossEntropyOf = (classes: number) => CrossEntropyOptions;

/** With the weights of a balanced loss, which are those of the training split. */
export async function settledLoss<M extends string>(
  { classWeights, labelSmoothing }: LossOptions,
  training: Training<M>,
): Promise<CrossEntropyOf> {
  if (classWeights !== 'balanced') return () => ({ classWeights, labelSmoothing });
  const weights = await balancedWeights(training);
  return (classes) => ({
    classWeights: Array.from({ length: classes }, (_, label) => weights[label] ?? 0),
    labelSmoothing,
  });
}

async function balancedWeights<M extends string>({ everySample }: Training<M>): Promise<number[]> {
  const counts: number[] = [];
  let samples = 0;
  for await (const { labels, ...batch } of everySample([])) {
    for (const label of labels.dataSync()) counts[label] = (counts[label] ?? 0) + 1;
    samples += labels.size;
    tf.dispose([labels, batch as object as tf.TensorContainer]);
  }
  const classes = counts.filter((count) => count > 0).length;
  return Array.from(counts, (count) => (count ? samples / (classes * count) : 0));
}

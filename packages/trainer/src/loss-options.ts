import * as tf from '@tensorflow/tfjs-core';
import { OptionError, taskWords, type RegressionOutput, type Task, type Training } from '@g2d/core';
import { assertCrossEntropyOptions, assertRegressionOutput, type CrossEntropyOptions } from '@g2d/tensor-ops';

/**
 * How errors weigh in the task's loss, fused and of single modalities; PyTorch's `CrossEntropyLoss`, of a multi-label task `BCEWithLogitsLoss`. Or what
 * the value of a regression is.
 */
export interface LossOptions {
  /**
   * One weight for each class, and the mean is divided by the sum of the samples' weights. `'balanced'`: n / (k · n_c) for the n training
   * samples, n_c of them of class c, and the k classes that occur; 0 for others. Default: 1 for all.
   *
   * Of a multi-label task: what the samples that have the class count, PyTorch's `pos_weight`; the mean stays one over samples and classes.
   * `'balanced'`: (n − n_c) / n_c, so that they count as much as those that lack it; 0 for a class that none has.
   */
  readonly classWeights?: readonly number[] | 'balanced' | undefined;
  /** ε in [0, 1]: the part of the true class that all classes share. Default 0; a multi-label task has none. */
  readonly labelSmoothing?: number | undefined;
  /**
   * Of a regression: its value is the `'sigmoid'` of the output (default), for targets in [0, 1], or the output itself, `'identity'`, for
   * any targets: in the loss, in scores and in predictions.
   */
  readonly output?: RegressionOutput | undefined;
}

/** @throws {OptionError} If one is out of range, or not for the task. */
export function assertLossOptions({ classWeights, labelSmoothing, output }: LossOptions, task: Task): void {
  const refuse = (option: string, value: unknown, what: string): never => {
    throw new OptionError(`\`${option}\` is for ${what}, but this is a ${taskWords(task)}. Leave it out.`, {
      option,
      value,
      accepted: 'nothing',
    });
  };
  if (output !== undefined) assertRegressionOutput(output, 'loss.output');
  if (task !== 'regression' && output !== undefined) refuse('loss.output', output, 'a regression');
  if (task === 'regression' && classWeights !== undefined)
    refuse('loss.classWeights', classWeights, 'classes');
  if (task === 'regression' && labelSmoothing) refuse('loss.labelSmoothing', labelSmoothing, 'classes');
  if (task === 'multi-label' && labelSmoothing)
    refuse('loss.labelSmoothing', labelSmoothing, 'samples with one class each');
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

async function balancedWeights<M extends string>({ everySample, task }: Training<M>): Promise<number[]> {
  const counts: number[] = [];
  let samples = 0;
  const count = (label: number, more: number): void => {
    counts[label] = (counts[label] ?? 0) + more;
  };
  for await (const { labels, ...batch } of everySample([])) {
    const values = labels.dataSync();
    const [size, classes = 1] = labels.shape;
    if (task === 'multi-label') values.forEach((value: number, i: number) => count(i % classes, value));
    else for (const label of values) count(label, 1);
    samples += size;
    tf.dispose([labels, batch as object as tf.TensorContainer]);
  }
  if (task === 'multi-label') return counts.map((own) => (own > 0 ? (samples - own) / own : 0));
  const classes = counts.filter((count) => count > 0).length;
  return Array.from(counts, (count) => (count ? samples / (classes * count) : 0));
}

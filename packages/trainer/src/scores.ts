import type { Batch, Logits, Training } from '@g2d/core';
import { predictedClasses, predictedValues } from './predictions.js';

/** A sum over samples, and how many they are. */
export interface ScoreSum {
  readonly sum: number;
  readonly samples: number;
}

/**
 * Percent right, or for a regression the absolute percentage error, summed over the samples of a batch: fused, and each modality
 * over the samples that have it.
 */
export function scoreBatch<M extends string>(
  { task, output }: Pick<Training<M>, 'task' | 'output'>,
  { labels, present }: Pick<Batch<M>, 'labels' | 'present'>,
  outputs: Logits<M>,
): Record<string, ScoreSum> {
  const truth = labels.dataSync();
  const predictions =
    task === 'classification' ? predictedClasses(outputs) : predictedValues(outputs, output);
  const score =
    task === 'classification'
      ? (predicted: number, label: number) => (predicted === label ? 100 : 0)
      : (predicted: number, target: number) => 100 * Math.abs((target - predicted) / target);
  return Object.fromEntries(
    Object.entries(predictions).map(([name, predicted]) => {
      const mask = present?.[name as M]?.dataSync();
      let sum = 0;
      let samples = 0;
      predicted.forEach((value: number, i: number) => {
        // A percentage of 0 is not defined.
        if ((mask && mask[i] === 0) || (task === 'regression' && truth[i] === 0)) return;
        sum += score(value, truth[i] as number);
        samples += 1;
      });
      return [name, { sum, samples }];
    }),
  );
}

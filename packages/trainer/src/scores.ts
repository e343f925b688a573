import type { Batch, Labels, Logits, RegressionOutput, Task, Training } from '@g2d/core';
import { predictedSet } from '@g2d/tensor-ops';
import { predictedClasses, predictedSets, predictedValues } from './predictions.js';

/** A sum, and what it is divided by in the end: how many samples it is of; for micro F1 how many classes, true and predicted. */
export interface ScoreSum {
  readonly sum: number;
  readonly samples: number;
}

/**
 * The task's score, summed over the samples of a batch: fused, and each modality over the samples that have it. Percent right; for a regression
 * the absolute percentage error; for a multi-label task micro F1, which is exact over any number of batches: twice the classes that are right,
 * by the true and the predicted ones.
 */
export function scoreBatch<M extends string>(
  { task, output }: Pick<Training<M>, 'task' | 'output'>,
  { labels, present }: Pick<Batch<M>, 'labels' | 'present'>,
  outputs: Logits<M>,
): Record<string, ScoreSum> {
  return Object.fromEntries(
    Object.entries(SCORES[task](labels, outputs, output)).map(([name, scores]) => {
      const mask = present?.[name as M]?.dataSync();
      let sum = 0;
      let samples = 0;
      scores.forEach((score, i) => {
        if (mask && mask[i] === 0) return;
        sum += score.sum;
        samples += score.samples;
      });
      return [name, { sum, samples }];
    }),
  );
}

/** Scores as numbers to be added up, and back. */
export const numbersOfScores = (scores: Readonly<Record<string, ScoreSum>>): number[] =>
  Object.values(scores).flatMap(({ sum, samples }) => [sum, samples]);

/** @param numbers As `numbersOfScores` has them, of the same scores. */
export const scoresOfNumbers = (
  scores: Readonly<Record<string, ScoreSum>>,
  numbers: readonly number[],
): Record<string, ScoreSum> =>
  Object.fromEntries(
    Object.keys(scores).map((name, i) => [
      name,
      { sum: numbers[2 * i] as number, samples: numbers[2 * i + 1] as number },
    ]),
  );

/** By head, of each sample. */
type SampleScores = Readonly<Record<string, readonly ScoreSum[]>>;

const SCORES: Readonly<
  Record<Task, (labels: Labels, outputs: Logits<string>, output: RegressionOutput) => SampleScores>
> = {
  classification(labels, outputs) {
    const truth = labels.dataSync();
    return scoresOf(predictedClasses(outputs), (predicted, i) => ({
      sum: predicted === truth[i] ? 100 : 0,
      samples: 1,
    }));
  },
  regression(labels, outputs, output) {
    const truth = labels.dataSync();
    return scoresOf(predictedValues(outputs, output), (predicted, i) => {
      const target = truth[i] as number;
      // A percentage of 0 is not defined.
      if (target === 0) return { sum: 0, samples: 0 };
      return { sum: 100 * Math.abs((target - predicted) / target), samples: 1 };
    });
  },
  'multi-label'(labels, outputs) {
    const [, classes = 0] = labels.shape;
    const hot = labels.dataSync<'float32'>();
    return scoresOf(predictedSets(outputs), (predicted, i) => {
      const truth = predictedSet(hot.subarray(i * classes, (i + 1) * classes));
      const right = predicted.filter((id) => truth.includes(id)).length;
      return { sum: 200 * right, samples: truth.length + predicted.length };
    });
  },
};

const scoresOf = <T>(
  predictions: Readonly<Record<string, ArrayLike<T>>>,
  score: (predicted: T, sample: number) => ScoreSum,
): SampleScores =>
  Object.fromEntries(
    Object.entries(predictions).map(([name, predicted]) => [name, Array.from(predicted, score)]),
  );

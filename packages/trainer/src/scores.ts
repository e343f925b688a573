import type { Batch, Labels, Task, Training } from '@g2d/core';
import { predictedSet, valuesOf } from '@g2d/tensor-ops';
import { mapValues } from './map-values.js';

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
  { task }: Pick<Training<M>, 'task'>,
  { labels, present }: Pick<Batch<M>, 'labels' | 'present'>,
  predicted: Predicted,
): Record<string, ScoreSum> {
  return Object.fromEntries(
    Object.entries(SCORES[task](labels, predicted)).map(([name, scores]) => {
      const mask = valuesOf(present?.[name as M]);
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

/** By head, what `predictions` gives of a batch. */
type Predicted = Readonly<Record<string, Float32Array>>;

/** By head, of each sample. */
type SampleScores = Readonly<Record<string, readonly ScoreSum[]>>;

const SCORES: Readonly<Record<Task, (labels: Labels, predicted: Predicted) => SampleScores>> = {
  classification(labels, predicted) {
    const truth = valuesOf(labels);
    return mapValues(predicted, (classes) =>
      Array.from(classes, (id, i) => ({ sum: id === truth[i] ? 100 : 0, samples: 1 })),
    );
  },
  regression(labels, predicted) {
    const truth = valuesOf(labels);
    return mapValues(predicted, (values) =>
      Array.from(values, (value, i) => {
        const target = truth[i] as number;
        // A percentage of 0 is not defined.
        if (target === 0) return { sum: 0, samples: 0 };
        return { sum: 100 * Math.abs((target - value) / target), samples: 1 };
      }),
    );
  },
  'multi-label'(labels, predicted) {
    const [samples, classes = 0] = labels.shape;
    const truth = setsOf(valuesOf(labels), samples, classes);
    return mapValues(predicted, (logits) =>
      setsOf(logits, samples, classes).map((set, i) => {
        const own = truth[i] as readonly number[];
        const right = set.filter((id) => own.includes(id)).length;
        return { sum: 200 * right, samples: own.length + set.length };
      }),
    );
  },
};

/** The classes of each sample, from a row of numbers each. */
const setsOf = (rows: Float32Array, samples: number, classes: number): number[][] =>
  Array.from({ length: samples }, (_, i) => predictedSet(rows.subarray(i * classes, (i + 1) * classes)));

import { OptionError } from '@g2d/tensor-ops';
import type { Scores } from './method.js';
import type { ScoreSum } from './scores.js';

/** What one step adds to the log. */
export interface StepRecord {
  readonly loss: Readonly<Record<string, number>>;
  readonly scores: Readonly<Record<string, ScoreSum>>;
  readonly series: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Means over the steps of an epoch. */
export interface EpochSummary {
  readonly loss: Readonly<Record<string, number>>;
  readonly train: Scores;
  readonly [series: string]: unknown;
}

/**
 * The log of an epoch from those of its steps.
 *
 * @throws {OptionError} If there are none.
 */
export function summarize(steps: readonly StepRecord[]): EpochSummary {
  const [first] = steps;
  if (!first) {
    throw new OptionError(
      'An epoch without batches. Is the batch size larger than the dataset while the last incomplete batch is dropped?',
      { option: 'batches', value: 0, accepted: 'at least one batch' },
    );
  }
  return {
    loss: mapKeys(first.loss, (part) => mean(steps.map(({ loss }) => loss[part] as number))),
    train: mapKeys(first.scores, (name) => {
      const sums = steps.map(({ scores }) => scores[name] as ScoreSum);
      return total(sums.map(({ sum }) => sum)) / total(sums.map(({ samples }) => samples));
    }),
    ...mapKeys(first.series, (name) =>
      mapKeys(first.series[name] as object, (modality) =>
        // A batch in which a modality is missing has no number for it.
        mean(
          steps
            .map(({ series }) => series[name]?.[modality] as number)
            .filter((value) => !Number.isNaN(value)),
        ),
      ),
    ),
  };
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

const mean = (values: readonly number[]): number => total(values) / values.length;

const mapKeys = <U>(record: object, f: (key: string) => U): Record<string, U> =>
  Object.fromEntries(Object.keys(record).map((key) => [key, f(key)]));

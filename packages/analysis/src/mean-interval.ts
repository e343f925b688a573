import { checkKeys, OptionError } from '@g2d/core';
import { studentQuantile } from './student-quantile.js';

/** Where the mean of more such values would lie. */
export interface Interval {
  readonly lower: number;
  readonly upper: number;
}

/**
 * Mean and sample standard deviation of, for example, the accuracies of several seeds.
 *
 * mean = (1/n) Σ x_i, deviation = √(Σ (x_i − mean)² / (n − 1))
 *
 * @param values At least one.
 * @returns `deviation` is `undefined` for a single value, which says nothing about the spread.
 * @throws {OptionError} If there are no values, or one is not finite.
 * @example
 * meanAndDeviation([70, 72, 74]); // { mean: 72, deviation: 2 }
 */
export function meanAndDeviation(values: readonly number[]): {
  readonly mean: number;
  readonly deviation: number | undefined;
} {
  checkValues(values);
  const mean = meanOf(values);
  if (values.length === 1) return { mean, deviation: undefined };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

/**
 * Student's t interval of the mean of several values, such as the accuracies of several seeds, or the differences of two methods seed by
 * seed.
 *
 * mean ± t · deviation / √n, with t of n − 1 degrees of freedom
 *
 * It covers the mean of very many such values as often as `level` says, for any number of them, if they are spread about normally. Two
 * values say little, and so their interval at 0.95 is wide: 12.7 times the standard error.
 *
 * @param values At least two.
 * @param options `level`: default 0.95, in (0, 1).
 * @throws {OptionError} If there are fewer than two values, one is not finite, or the level is out of range.
 * @example
 * meanInterval([70, 72, 74]); // { lower: 67.03, upper: 76.97 }, rounded
 */
export function meanInterval(values: readonly number[], options: { readonly level?: number } = {}): Interval {
  const { level = 0.95 } = checkKeys(options, { level: true }, 'meanInterval');
  const { mean, deviation } = meanAndDeviation(values);
  if (!(level > 0 && level < 1)) {
    throw new OptionError(`\`level\` is ${level}; give a share between 0 and 1, for example 0.95.`, {
      option: 'level',
      value: level,
      accepted: 'between 0 and 1',
    });
  }
  if (deviation === undefined) {
    throw new OptionError('One value says nothing about its spread; an interval takes at least two.', {
      option: 'values',
      value: values,
      accepted: 'at least two finite numbers',
    });
  }
  const half = (studentQuantile(values.length - 1, level) * deviation) / Math.sqrt(values.length);
  return { lower: mean - half, upper: mean + half };
}

function meanOf(values: readonly number[]): number {
  const first = values[0] as number;
  return first + values.reduce((sum, value) => sum + (value - first), 0) / values.length;
}

function checkValues(values: readonly number[]): void {
  if (values.length > 0 && values.every(Number.isFinite)) return;
  const found = values.length === 0 ? 'none' : values.find((value) => !Number.isFinite(value));
  throw new OptionError(
    `The values to be averaged must be finite numbers, at least one; there is ${found}.`,
    {
      option: 'values',
      value: values,
      accepted: 'at least one finite number',
    },
  );
}

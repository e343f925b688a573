import { meanAndDeviation, meanInterval, type Interval } from '../mean-interval.js';

/** One number over several seeds. */
export interface Estimate {
  /** In the order of the row's seeds; only seeds that have the number. The table's notes name the others. */
  readonly values: readonly number[];
  /** How many they are. */
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation; absent for a single seed. */
  readonly deviation?: number;
  /** Student's t interval of the mean; absent for a single seed. */
  readonly interval?: Interval;
}

/** How intervals are made. */
export interface EstimateOptions {
  /** Default 0.95. */
  readonly level?: number;
}

/** Mean, sample standard deviation and interval; `undefined` where no value is a finite number. */
export function estimate(
  candidates: readonly (number | undefined)[],
  options: EstimateOptions = {},
): Estimate | undefined {
  const values = candidates.filter(isNumber);
  const n = values.length;
  if (n === 0) return undefined;
  const { mean, deviation } = meanAndDeviation(values);
  if (deviation === undefined) return { values, n, mean };
  return { values, n, mean, deviation, interval: meanInterval(values, options) };
}

/** Whether a seed has a number: one that is not finite is none. */
export const isNumber = (value: number | undefined): value is number => Number.isFinite(value);

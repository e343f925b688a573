import { bootstrapInterval, meanAndDeviation, type Interval } from '../bootstrap.js';

/** One number over several seeds. */
export interface Estimate {
  /** In the order of the row's seeds; only seeds that have the number. */
  readonly values: readonly number[];
  readonly mean: number;
  /** Sample standard deviation; absent for a single seed. */
  readonly deviation?: number;
  /** Bootstrap interval of the mean; absent for a single seed. */
  readonly interval?: Interval;
}

/** How intervals are made. */
export interface EstimateOptions {
  /** Default 0.95. */
  readonly level?: number;
  /** Default 10000. */
  readonly resamples?: number;
  /** Of the resampling, default 0: the same runs always give the same intervals. */
  readonly seed?: number;
}

/** Mean, sample standard deviation and bootstrap interval; `undefined` where no value is a finite number. */
export function estimate(
  candidates: readonly (number | undefined)[],
  { level = 0.95, resamples = 10_000, seed = 0 }: EstimateOptions = {},
): Estimate | undefined {
  const values = candidates.flatMap((value) =>
    value !== undefined && Number.isFinite(value) ? [value] : [],
  );
  if (values.length === 0) return undefined;
  const { mean, deviation } = meanAndDeviation(values);
  if (deviation === undefined) return { values, mean };
  return { values, mean, deviation, interval: bootstrapInterval(values, { level, resamples, seed }) };
}

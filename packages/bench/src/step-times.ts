/** Milliseconds of a step. */
export interface StepTimes {
  readonly min: number;
  readonly median: number;
  /** 95 of 100 steps take no longer. */
  readonly p95: number;
}

/**
 * What is reported of the times of single steps.
 *
 * @param milliseconds One or more, in any order.
 * @example
 * stepTimes([3, 1, 2, 10]); // { min: 1, median: 2.5, p95: 10 }
 */
export function stepTimes(milliseconds: readonly number[]): StepTimes {
  const sorted = [...milliseconds].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] as number;
  const middle = (sorted.length - 1) / 2;
  return {
    min: at(0),
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    p95: at(Math.ceil(0.95 * sorted.length) - 1),
  };
}

/** The mean of the times of several stages, each with its share of a training. */
export function meanTimes(stages: readonly { readonly share: number; readonly ms: StepTimes }[]): StepTimes {
  const mean = (read: (ms: StepTimes) => number): number =>
    stages.reduce((sum, { share, ms }) => sum + share * read(ms), 0);
  return { min: mean(({ min }) => min), median: mean(({ median }) => median), p95: mean(({ p95 }) => p95) };
}

import { checkKeys, OptionError } from '@g2d/core';
import { deriveSeed, randomStream } from '@g2d/tensor-ops';

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
 * Percentile bootstrap interval of the mean of several values.
 *
 * Draws n of the n values with replacement, `resamples` times, and takes the (1 − `level`)/2 and (1 + `level`)/2
 * quantiles of the means (interpolated linearly between two of them). The same seed gives the same interval anywhere.
 *
 * It assumes nothing about how the values are distributed, but knows only these values: with few of them it is
 * too narrow. Of three values (three seeds) there are only ten different resampled means, and the interval at 0.95
 * reaches from the smallest to the largest value. A single value gives the interval from itself to itself.
 *
 * @param values At least one.
 * @param options `level`: default 0.95, in (0, 1). `resamples`: default 10000. `seed`: an integer.
 * @throws {OptionError} If there are no values, one is not finite, or an option is out of range.
 * @example
 * const { lower, upper } = bootstrapInterval([70.1, 71.9, 72.4, 70.8, 71.5], { seed: 0 });
 * @see Efron and Tibshirani, An Introduction to the Bootstrap, Sec. 13.3
 */
export function bootstrapInterval(
  values: readonly number[],
  options: { readonly level?: number; readonly resamples?: number; readonly seed: number },
): Interval {
  const {
    level = 0.95,
    resamples = 10_000,
    seed,
  } = checkKeys(options, { level: true, resamples: true, seed: true }, 'bootstrapInterval');
  checkValues(values);
  if (!(level > 0 && level < 1)) {
    throw new OptionError(`\`level\` is ${level}; give a share between 0 and 1, for example 0.95.`, {
      option: 'level',
      value: level,
      accepted: 'between 0 and 1',
    });
  }
  if (!Number.isSafeInteger(resamples) || resamples < 1) {
    throw new OptionError(`\`resamples\` is ${resamples}; give a whole number of at least 1.`, {
      option: 'resamples',
      value: resamples,
      accepted: 'a whole number of at least 1',
    });
  }
  const random = randomStream(deriveSeed(seed, 'bootstrap'));
  const means = Float64Array.from({ length: resamples }, () =>
    meanOf(values.map(() => values[random.integer(values.length)] as number)),
  ).sort();
  return { lower: quantile(means, (1 - level) / 2), upper: quantile(means, (1 + level) / 2) };
}

/** The mean, inside of the values' range: a rounded sum could give three times 0.1 the mean 0.10000000000000002. */
function meanOf(values: readonly number[]): number {
  const first = values[0] as number;
  return first + values.reduce((sum, value) => sum + (value - first), 0) / values.length;
}

/** Value at a share of the way through sorted values, interpolated linearly between two neighbours. */
function quantile(sorted: Float64Array, share: number): number {
  const position = share * (sorted.length - 1);
  const below = sorted[Math.floor(position)] as number;
  const above = sorted[Math.ceil(position)] as number;
  return below + (position % 1) * (above - below);
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

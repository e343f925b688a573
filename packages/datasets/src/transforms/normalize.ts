import { OptionError } from '@g2d/core';

/** Mean and standard deviation of each channel of a picture whose values lie in [0, 1]. */
export interface ChannelStatistics {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * 8-bit pixels as the input of a network: (v / 255 − mean) / std, by channel.
 *
 * In float32 step by step, as the usual Python transforms do it, so that equal pixels become equal numbers to the last bit.
 *
 * @param pixels `[…, C]`, 0 to 255.
 * @returns `[…, C]`.
 * @throws {OptionError} If mean and std are not of the same length, or a std is not above 0.
 * @example
 * normalizePixels(resized, { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] });
 */
export function normalizePixels(pixels: Uint8Array, { mean, std }: ChannelStatistics): Float32Array {
  const channels = mean.length;
  if (channels === 0 || std.length !== channels || !std.every((value) => value > 0)) {
    throw new OptionError(
      `mean [${mean.join(', ')}] and std [${std.join(', ')}] must have one number for each channel, std above 0.`,
      { option: 'std', value: std, accepted: 'as many numbers above 0 as `mean` has' },
    );
  }
  // There are only 256 levels.
  const levels = mean.map((value, channel) =>
    Float32Array.from({ length: 256 }, (_, level) => {
      const centred = Math.fround(Math.fround(level / 255) - Math.fround(value));
      return centred / Math.fround(std[channel] as number);
    }),
  );
  const normalized = new Float32Array(pixels.length);
  if (levels.length === 3) {
    const [red, green, blue] = levels as [Float32Array, Float32Array, Float32Array];
    for (let i = 0; i + 2 < pixels.length; i += 3) {
      normalized[i] = red[pixels[i] as number] as number;
      normalized[i + 1] = green[pixels[i + 1] as number] as number;
      normalized[i + 2] = blue[pixels[i + 2] as number] as number;
    }
    return normalized;
  }
  return normalized.map((_, i) => (levels[i % channels] as Float32Array)[pixels[i] as number] as number);
}

/** Mean and standard deviation of each feature, in double precision, `[D]`. */
export interface FeatureStatistics {
  readonly mean: Float64Array;
  /** 1 where the values do not vary, so that they become 0. */
  readonly std: Float64Array;
}

interface FeatureStatisticsOptions {
  /**
   * √(Σ (x − mean)² / n) or, `'unbiased'`, / (n − 1). Default `'population'`. One row alone has the unbiased std 1.
   */
  readonly deviation?: 'population' | 'unbiased';
  /** `'whole'`: one standard deviation over all values of all features, around their common mean. Default `'feature'`. */
  readonly spread?: 'feature' | 'whole';
}

/**
 * What `standardize` needs, from the training rows, or from a sample itself.
 *
 * NaN is a gap: the mean leaves it out, the standard deviation counts it as the mean. A feature of gaps alone has mean 0.
 *
 * @param rows `[N, D]`, flat.
 * @param width D.
 * @throws {OptionError} If the rows are not of this width or there are none.
 * @example
 * featureStatistics([1, 5, 3, 5], 2); // mean [2, 5], std [1, 1]: the second does not vary
 */
export function featureStatistics(
  rows: ArrayLike<number>,
  width: number,
  { deviation = 'population', spread = 'feature' }: FeatureStatisticsOptions = {},
): FeatureStatistics {
  const count = rows.length / width;
  if (!(Number.isInteger(width) && width >= 1 && Number.isInteger(count) && count >= 1)) {
    throw new OptionError(`${rows.length} values cannot be rows of ${width} features.`, {
      option: 'width',
      value: width,
      accepted: 'a whole number that divides the number of values',
    });
  }
  const mean = new Float64Array(width);
  const present = new Float64Array(width);
  eachPresent(rows, width, (value, feature) => {
    mean[feature] = (mean[feature] as number) + value;
    present[feature] = (present[feature] as number) + 1;
  });
  mean.forEach((sum, feature) => {
    mean[feature] = sum / ((present[feature] as number) || 1);
  });
  const std = spread === 'feature' ? perFeature(rows, mean, deviation) : overall(rows, mean, deviation);
  return { mean, std };
}

type Deviation = 'population' | 'unbiased';

function eachPresent(
  rows: ArrayLike<number>,
  width: number,
  use: (value: number, feature: number) => void,
): void {
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i] as number;
    if (!Number.isNaN(value)) use(value, i % width);
  }
}

function perFeature(rows: ArrayLike<number>, mean: Float64Array, deviation: Deviation): Float64Array {
  const squares = new Float64Array(mean.length);
  eachPresent(rows, mean.length, (value, feature) => {
    squares[feature] = (squares[feature] as number) + (value - (mean[feature] as number)) ** 2;
  });
  return squares.map((sum) => standardDeviation(sum, rows.length / mean.length, deviation));
}

function overall(rows: ArrayLike<number>, mean: Float64Array, deviation: Deviation): Float64Array {
  const filled = Float64Array.from(rows, (value, i) =>
    Number.isNaN(value) ? (mean[i % mean.length] as number) : value,
  );
  const common = filled.reduce((sum, value) => sum + value, 0) / filled.length;
  const squares = filled.reduce((sum, value) => sum + (value - common) ** 2, 0);
  return new Float64Array(mean.length).fill(standardDeviation(squares, filled.length, deviation));
}

/** Never 0, nor NaN for a single value. */
function standardDeviation(squares: number, count: number, deviation: Deviation): number {
  const degrees = deviation === 'unbiased' ? count - 1 : count;
  return squares > 0 && degrees > 0 ? Math.sqrt(squares / degrees) : 1;
}

/**
 * (x − mean) / std, by feature; gaps (NaN) become 0, as if they were filled with the mean.
 *
 * @param rows `[N, D]`, flat.
 * @returns `[N, D]`.
 * @throws {OptionError} If the rows have another number of features than the statistics.
 */
export function standardize(rows: ArrayLike<number>, { mean, std }: FeatureStatistics): Float32Array {
  const width = mean.length;
  if (rows.length % width !== 0) {
    throw new OptionError(
      `${rows.length} values cannot be rows of the ${width} features of the statistics.`,
      {
        option: 'rows',
        value: rows.length,
        accepted: `a multiple of ${width}`,
      },
    );
  }
  return Float32Array.from(rows, (value, i) =>
    Number.isNaN(value) ? 0 : (value - (mean[i % width] as number)) / (std[i % width] as number),
  );
}

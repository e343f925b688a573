import { describe, expect, it } from 'vitest';
import { featureStatistics, normalizePixels, standardize } from './normalize.js';

const arrays = ({ mean, std }: { mean: Float64Array; std: Float64Array }): number[][] => [
  Array.from(mean),
  Array.from(std),
];

describe('normalizePixels', () => {
  it('is (v / 255 − mean) / std by channel', () => {
    const normalized = normalizePixels(Uint8Array.of(0, 255, 51, 255, 0, 102), {
      mean: [0.5, 0.25, 0.2],
      std: [0.5, 0.25, 0.1],
    });
    [-1, 3, 0, 1, -1, 2].forEach((expected, i) => expect(normalized[i]).toBeCloseTo(expected, 6));
    expect(
      Array.from(normalizePixels(Uint8Array.of(0, 255, 255, 0), { mean: [0, 1], std: [1, 0.5] })),
    ).toEqual([0, 0, 1, -2]);
  });

  it('refuses statistics that do not fit', () => {
    const pixels = new Uint8Array(3);
    expect(() => normalizePixels(pixels, { mean: [0, 0], std: [1] })).toThrow(/mean \[0, 0\] and std \[1\]/);
    expect(() => normalizePixels(pixels, { mean: [0], std: [0] })).toThrow(/std above 0/);
    expect(() => normalizePixels(pixels, { mean: [], std: [] })).toThrow(/one number for each channel/);
  });
});

describe('featureStatistics', () => {
  it('has the population deviation by default, the unbiased one if asked', () => {
    const rows = [1, 10, 3, 20, 5, 30];
    expect(arrays(featureStatistics(rows, 2))).toEqual([
      [3, 20],
      [Math.sqrt(8 / 3), Math.sqrt(200 / 3)],
    ]);
    expect(arrays(featureStatistics(rows, 2, { deviation: 'unbiased' }))).toEqual([
      [3, 20],
      [2, 10],
    ]);
  });

  it('takes 1 for a deviation of 0, and for the unbiased one of a single row', () => {
    expect(arrays(featureStatistics([7, 1, 7, 3], 2))).toEqual([
      [7, 2],
      [1, 1],
    ]);
    expect(arrays(featureStatistics([7, 8], 2, { deviation: 'unbiased' }))).toEqual([
      [7, 8],
      [1, 1],
    ]);
  });

  it('leaves gaps out of the mean and counts them as the mean in the deviation', () => {
    // Filled with the mean 2: 1, 3, 2, 2 has variance 2 / 4.
    expect(arrays(featureStatistics([1, NaN, 3, NaN, NaN, NaN, NaN, NaN], 2))).toEqual([
      [2, 0],
      [Math.SQRT1_2, 1],
    ]);
  });

  it('has one deviation of everything if asked', () => {
    // 0, 2, 4, 6 around 3: squares 9 + 1 + 1 + 9.
    expect(arrays(featureStatistics([0, 4, 2, 6], 2, { spread: 'whole', deviation: 'unbiased' }))).toEqual([
      [1, 5],
      [Math.sqrt(20 / 3), Math.sqrt(20 / 3)],
    ]);
  });

  it('refuses values that are no rows', () => {
    expect(() => featureStatistics([1, 2, 3], 2)).toThrow('3 values cannot be rows of 2 features');
    expect(() => featureStatistics([], 2)).toThrow('0 values');
    expect(() => featureStatistics([1], 0)).toThrow('0 features');
  });
});

describe('standardize', () => {
  it('subtracts the mean, divides by the deviation and fills gaps with 0', () => {
    const statistics = { mean: Float64Array.of(1, 2), std: Float64Array.of(2, 1) };
    expect(Array.from(standardize([3, 2, NaN, 5], statistics))).toEqual([1, 0, 0, 3]);
  });

  it('refuses rows of another width', () => {
    expect(() =>
      standardize([1, 2, 3], { mean: new Float64Array(2), std: new Float64Array(2).fill(1) }),
    ).toThrow('3 values cannot be rows of the 2 features');
  });
});

import { describe, expect, it } from 'vitest';
import { bootstrapInterval, meanAndDeviation } from './bootstrap.js';

const ACCURACIES = [70.1, 71.9, 72.4, 70.8, 71.5];

describe('meanAndDeviation', () => {
  it('divides by n − 1', () => {
    expect(meanAndDeviation([70, 72, 74])).toEqual({ mean: 72, deviation: 2 });
    const { mean, deviation } = meanAndDeviation(ACCURACIES);
    expect(mean).toBeCloseTo(71.34, 12);
    expect(deviation).toBeCloseTo(0.907193474403343, 12);
  });

  it('knows no deviation of a single value', () => {
    expect(meanAndDeviation([70])).toEqual({ mean: 70, deviation: undefined });
  });

  it('finds no deviation in equal values', () => {
    expect(meanAndDeviation([0.1, 0.1, 0.1])).toEqual({ mean: 0.1, deviation: 0 });
  });
});

describe('bootstrapInterval', () => {
  it('comes close to the quantiles of all 5⁵ resamples', () => {
    // Counted exactly: 70.6 and 72.02 at 0.95, 70.74 and 71.92 at 0.9.
    const { lower, upper } = bootstrapInterval(ACCURACIES, { seed: 1 });
    expect(Math.abs(lower - 70.6)).toBeLessThan(0.05);
    expect(Math.abs(upper - 72.02)).toBeLessThan(0.05);
    const narrower = bootstrapInterval(ACCURACIES, { seed: 1, level: 0.9 });
    expect(Math.abs(narrower.lower - 70.74)).toBeLessThan(0.05);
    expect(Math.abs(narrower.upper - 71.92)).toBeLessThan(0.05);
  });

  it('reaches from the smallest to the largest of three values', () => {
    // A resample has the smallest value three times with probability 1/27, which is more than 0.025.
    for (const seed of [0, 1, 2]) {
      expect(bootstrapInterval([4, 1, 2], { seed })).toEqual({ lower: 1, upper: 4 });
    }
  });

  it('interpolates between two resamples', () => {
    // Two resamples of two values: with this seed, one mean of 0 and one of 5.
    const { lower, upper } = bootstrapInterval([0, 10], { seed: 0, resamples: 2, level: 0.5 });
    expect([lower, upper]).toEqual([1.25, 3.75]);
  });

  it('is the same for the same seed, and moves with the values', () => {
    const interval = bootstrapInterval(ACCURACIES, { seed: 5 });
    expect(bootstrapInterval(ACCURACIES, { seed: 5 })).toEqual(interval);
    const shifted = bootstrapInterval(
      ACCURACIES.map((value) => value + 8),
      { seed: 5 },
    );
    expect(shifted.lower - interval.lower).toBeCloseTo(8, 10);
    expect(shifted.upper - interval.upper).toBeCloseTo(8, 10);
  });

  it('has no width for a single value, or equal ones', () => {
    expect(bootstrapInterval([70.3], { seed: 0 })).toEqual({ lower: 70.3, upper: 70.3 });
    expect(bootstrapInterval([0.1, 0.1, 0.1], { seed: 0 })).toEqual({ lower: 0.1, upper: 0.1 });
  });

  it('leaves its argument alone', () => {
    const values = Object.freeze([3, 1, 2]);
    bootstrapInterval(values, { seed: 0, resamples: 5 });
    expect(values).toEqual([3, 1, 2]);
  });

  it('says what is wrong with its arguments', () => {
    expect(() => bootstrapInterval([], { seed: 0 })).toThrow('at least one; there is none');
    expect(() => bootstrapInterval([1, NaN], { seed: 0 })).toThrow('there is NaN');
    expect(() => meanAndDeviation([Infinity])).toThrow('there is Infinity');
    for (const level of [0, 1, 95, NaN]) {
      expect(() => bootstrapInterval([1], { seed: 0, level })).toThrow(`\`level\` is ${level}`);
    }
    expect(() => bootstrapInterval([1], { seed: 0, resamples: 0.5 })).toThrow('`resamples` is 0.5');
    expect(() => bootstrapInterval([1], { seed: 0.5 })).toThrow('must be an integer');
  });
});

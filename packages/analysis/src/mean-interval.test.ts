import { describe, expect, it } from 'vitest';
import { deriveSeed, randomStream } from '@g2d/tensor-ops';
import { meanAndDeviation, meanInterval } from './mean-interval.js';

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

describe('meanInterval', () => {
  it('is the mean and so many standard errors', () => {
    // 4.3027 · 2 / √3 = 4.9683 around 72.
    const { lower, upper } = meanInterval([70, 72, 74]);
    expect(lower).toBeCloseTo(67.0317, 4);
    expect(upper).toBeCloseTo(76.9683, 4);
    // 2.13185 · 0.907193 / √5 around 71.34.
    expect(meanInterval(ACCURACIES, { level: 0.9 }).lower).toBeCloseTo(71.34 - 0.86491, 4);
  });

  it('has no width where nothing is spread, and no place for one value', () => {
    expect(meanInterval([0.1, 0.1, 0.1])).toEqual({ lower: 0.1, upper: 0.1 });
    expect(() => meanInterval([70])).toThrow('an interval takes at least two');
  });

  // Of 4000 such experiments 95 % ± 1.4 % (four standard errors) have the true mean inside.
  it.each([2, 3, 5, 10])('covers the true mean as often as it says with %i seeds', (n) => {
    const random = randomStream(deriveSeed(0, `coverage/${n}`));
    let covered = 0;
    for (let i = 0; i < 4000; i++) {
      const { lower, upper } = meanInterval(Array.from({ length: n }, () => 80 + 1.5 * random.normal()));
      if (lower <= 80 && 80 <= upper) covered++;
    }
    expect(covered / 4000).toBeGreaterThan(0.936);
    expect(covered / 4000).toBeLessThan(0.964);
  });

  it('names what is wrong', () => {
    expect(() => meanInterval([])).toThrow('at least one; there is none');
    expect(() => meanInterval([1, NaN])).toThrow('there is NaN');
    expect(() => meanAndDeviation([Infinity])).toThrow('there is Infinity');
    for (const level of [0, 1, NaN]) {
      expect(() => meanInterval([1, 2], { level })).toThrow(`\`level\` is ${level}`);
    }
  });
});

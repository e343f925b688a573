import { describe, expect, it } from 'vitest';
import { studentProbability, studentQuantile } from './student-quantile.js';

describe('studentQuantile', () => {
  it.each([
    // Of one degree of freedom tan(0.475 π), of two √(2 · 0.95² / (1 − 0.95²)); the others from tables with ten digits.
    [1, 0.95, 12.7062047362],
    [2, 0.95, 4.3026527297],
    [3, 0.95, 3.1824463053],
    [4, 0.95, 2.7764451052],
    [5, 0.95, 2.5705818356],
    [9, 0.95, 2.2621571628],
    [10, 0.95, 2.228138852],
    [30, 0.95, 2.0422724563],
    [100, 0.95, 1.9839715185],
    [2, 0.99, 9.9248432009],
    [4, 0.99, 4.6040948714],
    [4, 0.9, 2.1318467863],
  ])('of %i degrees of freedom at %d is %d', (freedom, level, expected) => {
    expect(studentQuantile(freedom, level)).toBeCloseTo(expected, 9);
  });

  it('is the normal distribution’s for very many', () => {
    expect(studentQuantile(20_000, 0.95)).toBeCloseTo(1.959964, 3);
  });

  it('holds the share of the density between its ends', () => {
    // Simpson's rule over (1 + x²/ν)^(−(ν + 1)/2), which needs no table: the density but for a factor, up to 400 and with its tail.
    for (const freedom of [3, 6, 7]) {
      const density = (x: number): number => (1 + x ** 2 / freedom) ** (-(freedom + 1) / 2);
      const area = (end: number, steps: number): number => {
        const h = end / steps;
        let sum = density(0) + density(end);
        for (let i = 1; i < steps; i++) sum += (i % 2 === 1 ? 4 : 2) * density(i * h);
        return (sum * h) / 3;
      };
      expect(area(studentQuantile(freedom, 0.95), 4000) / area(400, 400_000)).toBeCloseTo(0.95, 6);
    }
  });
});

describe('studentProbability', () => {
  it.each([
    // SciPy 1.17: 2 * stats.t.sf(t, freedom).
    [1, 1, 0.5],
    [2, 4.3026527297, 0.05],
    [4, 2.5, 0.0667665448],
    [4, -2.5, 0.0667665448],
    [9, 4.781, 0.0009998779],
    [3, 0, 1],
  ])('of %i degrees of freedom at %d is %d', (freedom, t, expected) => {
    expect(studentProbability(freedom, t)).toBeCloseTo(expected, 8);
  });
});

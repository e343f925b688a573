import { describe, expect, it } from 'vitest';
import { mcNemar } from './mcnemar.js';

describe('mcNemar', () => {
  it.each([
    // By hand: 2 / 2⁵, 2 · (1 + 6) / 2⁶, all of a fair division.
    [5, 0, 0.0625],
    [1, 5, 0.21875],
    [3, 3, 1],
    [0, 0, 1],
    // SciPy 1.17: stats.binomtest(min(b, c), b + c, 0.5).pvalue.
    [15, 5, 0.041389465332],
    [120, 80, 0.005685155997],
    [2100, 1900, 0.001649266375],
  ])('of %i against %i is %d', (onlyFirst, onlySecond, expected) => {
    expect(mcNemar(onlyFirst, onlySecond)).toBeCloseTo(expected, 7);
  });

  it('is the same from the other side', () => {
    expect(mcNemar(9, 31)).toBe(mcNemar(31, 9));
  });
});

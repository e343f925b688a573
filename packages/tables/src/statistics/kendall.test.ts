import { describe, expect, it } from 'vitest';
import { kendall } from './kendall.js';

describe('kendall', () => {
  it('is 1 of the same order and −1 of the opposite one', () => {
    expect(kendall([1, 2, 3], [10, 20, 40])).toBe(1);
    expect(kendall([1, 2, 3], [3, 2, 1])).toBe(-1);
  });

  it('counts pairs, by hand', () => {
    // (1,2) (1,3) (2,4) (3,4) (1,4) agree, (2,3) does not: (5 − 1) / 6.
    expect(kendall([1, 2, 3, 4], [1, 3, 2, 4])).toBeCloseTo(4 / 6, 12);
  });

  it('has ties as SciPy has them', () => {
    // stats.kendalltau([1, 2, 2, 3], [1, 2, 3, 3]): four pairs agree, one is tied in each list: 4 / √(5 · 5).
    expect(kendall([1, 2, 2, 3], [1, 2, 3, 3])).toBeCloseTo(0.8, 12);
    // SciPy 1.17, kendalltau of the same.
    const [ours, theirs] = [
      [58.1, 60.2, 60.2, 70.5, 59],
      [67.47, 61.29, 67.07, 78.48, 59.13],
    ];
    expect(kendall(ours, theirs)).toBeCloseTo(0.31622776601683794, 12);
  });

  it('says nothing where there is no order', () => {
    expect([kendall([1], [2]), kendall([1, 1], [1, 2])]).toEqual([undefined, undefined]);
  });
});

import { describe, expect, it } from 'vitest';
import { holm } from './holm.js';

describe('holm', () => {
  it('rejects step by step and stops at the first that is too probable', () => {
    // By hand: 0.005 ≤ 0.05 / 4, 0.01 ≤ 0.05 / 3, 0.03 > 0.05 / 2, and so 0.04 ≤ 0.05 does not count.
    expect(holm([0.01, 0.04, 0.03, 0.005], 0.05)).toEqual([true, false, false, true]);
  });

  it('is the plain test of a single hypothesis', () => {
    expect([holm([0.05], 0.05), holm([0.051], 0.05), holm([], 0.05)]).toEqual([[true], [false], []]);
  });

  it('takes hypotheses that are equally probable in any order', () => {
    expect(holm([0.02, 0.02, 0.02], 0.05)).toEqual([false, false, false]);
    expect(holm([0.016, 0.016, 0.016], 0.05)).toEqual([true, true, true]);
  });
});

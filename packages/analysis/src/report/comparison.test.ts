import { describe, expect, it } from 'vitest';
import type { Run } from '../run.js';
import { pairedStandardError, standardError } from './comparison.js';

const run = (fused: number[], ids = fused.map(String)): Run =>
  ({
    predictions: { ids, labels: fused.map(() => 0), classNames: ['a', 'b'], predictions: { fused } },
  }) as unknown as Run;
const first = [0, 0, 0, 1];
const ids = ['p', 'q', 'r', 's'];

describe('standardError', () => {
  it('is 0.9 points for 80 % on 2,000 samples', () => {
    expect(standardError(80, 2000)).toBeCloseTo(0.894, 3);
    // All of 48 right: 100 / (2 · 48) / (1 + 1/48).
    expect(standardError(100, 48)).toBeCloseTo(1.0204, 4);
  });
});

describe('pairedStandardError', () => {
  it('counts only samples on which two runs disagree', () => {
    expect(pairedStandardError(run(first, ids), run(first, ids))).toBe(0);
    // d = [1, 0, 0, 0]: mean 1/4, variance 3/16, divided by 4.
    expect(pairedStandardError(run(first, ids), run([1, 0, 0, 1], ids))).toBeCloseTo(
      100 * Math.sqrt(3 / 64),
      10,
    );
  });

  it('is undefined for different samples', () => {
    expect(pairedStandardError(run(first, ids), run(first, ['p', 'q', 'r', 't']))).toBeUndefined();
  });
});

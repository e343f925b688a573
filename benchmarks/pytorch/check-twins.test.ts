import { describe, expect, it } from 'vitest';
import { compareLosses } from './check-twins.js';

describe('compareLosses', () => {
  it('gives the largest relative difference of losses that agree', () => {
    expect(compareLosses('twin', [2, 1], [2, 1.0005])).toBeCloseTo(5e-4, 6);
  });

  it.each([
    ['differs', [2, 1.01]],
    ['is missing', [2]],
    ['is no number', [2, NaN]],
  ])('refuses a twin if a loss %s', (_, losses) => {
    expect(() => compareLosses('twin', [2, 1], losses)).toThrow(
      /"twin" computes something else than ours, so it is not timed.*ours 2\.00000, 1\.00000/,
    );
  });

  it('refuses to compare nothing', () => {
    expect(() => compareLosses('twin', [], [])).toThrow(/not timed/);
  });
});

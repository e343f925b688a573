import type { FigureClaim } from '@g2d/analysis';
import { describe, expect, it } from 'vitest';
import { judgeFigureClaims } from './judge-claims.js';

const claim = (values: readonly number[], rest: Partial<FigureClaim> = {}): FigureClaim => ({
  id: 'F0',
  dataset: 'toy',
  words: 'a − b',
  kind: 'above',
  limit: 0,
  ...rest,
  values: values.map((value, seed) => ({ seed, value })),
});
const judge = (...given: Parameters<typeof claim>) => judgeFigureClaims([claim(...given)])[0]!.judged;

describe('judgeFigureClaims', () => {
  it('goes by Student’s interval of the differences seed by seed', () => {
    // Mean 2, deviation 1: 2 ± 4.302653 / √3.
    expect(judge([1, 2, 3])).toMatchObject({
      verdict: 'open',
      n: 3,
      mean: 2,
      interval: { lower: expect.closeTo(-0.484, 3), upper: expect.closeTo(4.484, 3) },
    });
    expect(judge([1.9, 2, 2.1]).verdict).toBe('holds');
    expect(judge([-1.9, -2, -2.1]).verdict).toBe('fails');
  });

  it('tells what is below a limit, with its own mean and interval', () => {
    expect(judge([-1.9, -2, -2.1], { kind: 'below' })).toMatchObject({ verdict: 'holds', mean: -2 });
    const { verdict, mean, interval } = judge([1.9, 2, 2.1], { kind: 'at most', limit: 3 });
    expect([verdict, mean]).toEqual(['holds', 2]);
    expect([interval!.lower, interval!.upper]).toEqual([
      expect.closeTo(1.7516, 3),
      expect.closeTo(2.2484, 3),
    ]);
    expect(judge([19, 20, 21], { kind: 'at most', limit: 3 }).verdict).toBe('fails');
  });

  it('needs no test for what is true of every epoch', () => {
    expect(judge([1, 1], { kind: 'always', limit: 1 })).toMatchObject({ verdict: 'holds', n: 2 });
    expect(judge([1, 0.9], { kind: 'always', limit: 1 })).toMatchObject({ verdict: 'fails', mean: 0.95 });
  });

  it('judges nothing by one seed, by no number, or where it was told not to', () => {
    expect(judge([5])).toMatchObject({ verdict: 'open', n: 1, why: 'one seed is too few for a verdict' });
    expect(judge([NaN]).verdict).toBe('not tested');
    expect(judgeFigureClaims([claim([1, 1, 1])], { untested: 'a trial' })[0]!.judged).toEqual({
      verdict: 'not tested',
      why: 'a trial',
    });
  });
});

import { describe, expect, it } from 'vitest';
import type { Arm } from './arm.js';
import {
  judgeAtLeast,
  judgeBest,
  judgeGreater,
  judgeIncreasing,
  judgeRatio,
  judgeSmallerDrop,
} from './verdict.js';

/** Seeds 0, 1, 2 … */
const arm = (label: string, ...scores: number[]): Arm => ({ label, scores: new Map(scores.entries()) });

/** One seed, with its answers as a text of 0 and 1. */
const one = (label: string, answers: string, split = 'same'): Arm => {
  const right = [...answers].map((answer) => answer === '1');
  const score = (100 * right.filter(Boolean).length) / right.length;
  return { label, scores: new Map([[7, score]]), answers: new Map([[7, { split, right }]]) };
};

describe('judgeGreater', () => {
  it('holds above zero, fails below, is open around it', () => {
    // d = 1, 2, 3: mean 2, deviation 1, ±4.30265 / √3.
    const found = judgeGreater(arm('a', 11, 12, 13), arm('b', 10, 10, 10));
    expect(found).toMatchObject({ verdict: 'open', n: 3, mean: 2 });
    expect(found.interval?.lower).toBeCloseTo(2 - 4.3026527297 / Math.sqrt(3), 8);
    // d = 3, 4, 5: 4 ± 2.484.
    expect(judgeGreater(arm('a', 13, 14, 15), arm('b', 10, 10, 10)).verdict).toBe('holds');
    expect(judgeGreater(arm('b', 10, 10, 10), arm('a', 13, 14, 15)).verdict).toBe('fails');
  });

  it('pairs by seed, and takes those that both have', () => {
    const first: Arm = {
      label: 'a',
      scores: new Map([
        [4, 1],
        [2, 5],
        [1, 6],
        [0, 7],
      ]),
    };
    const second: Arm = {
      label: 'b',
      scores: new Map([
        [0, 4],
        [1, 2],
        [2, 0],
        [9, 99],
      ]),
    };
    // 3, 4, 5.
    expect(judgeGreater(first, second)).toMatchObject({ verdict: 'holds', n: 3, mean: 4 });
  });

  it('has an interval and no verdict of two seeds, and none of seeds that are not the same', () => {
    const two = judgeGreater(arm('a', 50, 50), arm('b', 10, 11));
    expect(two).toMatchObject({ verdict: 'open', n: 2, why: '2 seeds are too few for a verdict' });
    const other: Arm = { label: 'b', scores: new Map([[9, 1]]) };
    expect(judgeGreater(arm('a', 1), other).verdict).toBe('not tested');
  });

  it('takes every difference without spread for certain', () => {
    expect(judgeGreater(arm('a', 2, 2, 2), arm('b', 1, 1, 1)).verdict).toBe('holds');
    expect(judgeGreater(arm('a', 1, 1, 1), arm('b', 1, 1, 1)).verdict).toBe('open');
  });

  it('is McNemar’s test of one seed', () => {
    // Six against none: 2 / 2⁶ = 0.031; five: 0.0625.
    const six = judgeGreater(one('a', '1111111100'), one('b', '1100000000'));
    expect(six).toMatchObject({ verdict: 'holds', n: 1, mean: 60 });
    expect(judgeGreater(one('a', '1111111000'), one('b', '1100000000')).verdict).toBe('open');
    expect(judgeGreater(one('b', '1100000000'), one('a', '1111111100')).verdict).toBe('fails');
    const other = judgeGreater(one('a', '1111111100'), one('b', '1100000000', 'other'));
    expect(other).toMatchObject({ verdict: 'open', why: expect.stringContaining('not the same') });
  });
});

describe('judgeBest', () => {
  const first = arm('a', 13, 14, 15);

  it('holds if it is above each of the others, Holm over them', () => {
    // d = 4 ± 2.484 has p = 0.0202: enough alone, and not as the least of three.
    expect(judgeBest(first, [arm('b', 10, 10, 10)]).verdict).toBe('holds');
    const three = [arm('b', 10, 10, 10), arm('c', 10, 10, 10), arm('d', 10, 10, 10)];
    expect(judgeBest(first, three)).toMatchObject({ verdict: 'open', mean: 4 });
    // Against c and d p is far below 0.05 / 3 and 0.05 / 2: b needs no more than 0.05.
    const clear = [arm('b', 10, 10, 10), arm('c', 3, 4.01, 5), arm('d', 3, 4.01, 5)];
    expect(judgeBest(first, clear).verdict).toBe('holds');
  });

  it('fails if another one is above it, and is open if that is not sure', () => {
    expect(judgeBest(first, [arm('b', 10, 10, 10), arm('c', 33, 34.01, 35)])).toMatchObject({
      verdict: 'fails',
      why: expect.stringContaining('next: c'),
    });
    expect(judgeBest(first, [arm('b', 15, 14, 14)]).verdict).toBe('open');
  });

  it('does not hold while one of the others is not run', () => {
    const found = judgeBest(first, [arm('b', 3, 4.01, 5), arm('c')]);
    expect(found).toMatchObject({ verdict: 'open', why: 'next: b; not run: c' });
    expect(judgeBest(first, [arm('c')]).verdict).toBe('not tested');
  });
});

describe('judgeIncreasing', () => {
  it('is about the slope of each seed', () => {
    // Slopes by hand: of 1, 3, 5 it is 2; of 2, 2, 5 (5 − 2) / 2; of 0, 3, 4 it is 2.
    const levels = [arm('0', 1, 2, 0), arm('50', 3, 2, 3), arm('100', 5, 5, 4)];
    const found = judgeIncreasing(levels, 0.5);
    expect(found).toMatchObject({ verdict: 'holds', n: 3 });
    expect(found.mean).toBeCloseTo((2 + 1.5 + 2) / 3, 12);
    expect(judgeIncreasing(levels.toReversed(), 0.5).verdict).toBe('fails');
  });

  it('does not hold where a mean falls by more than the tolerance', () => {
    const levels = [arm('0', 1, 2, 3), arm('50', 9, 10.1, 11), arm('100', 8, 9, 10.1)];
    expect(judgeIncreasing(levels, 0.5)).toMatchObject({
      verdict: 'open',
      why: expect.stringMatching(/^falls by 1\.00 from 50 to 100/),
    });
    expect(judgeIncreasing(levels, 1.5).verdict).toBe('holds');
  });

  it('is open with one seed', () => {
    expect(judgeIncreasing([arm('0', 1), arm('50', 2)], 0.5)).toMatchObject({ verdict: 'open', mean: 1 });
  });
});

describe('the others', () => {
  it('a smaller drop is the difference of two differences', () => {
    const [from, to] = [arm('0 %', 80, 81, 82), arm('60 %', 70, 70, 73)];
    const [otherFrom, otherTo] = [arm('0 %', 80, 80, 80), arm('60 %', 60, 61, 61)];
    // Drops 10, 11, 9 and 20, 19, 19: 10, 8, 10.
    const found = judgeSmallerDrop({ from, to }, { from: otherFrom, to: otherTo });
    expect(found).toMatchObject({ verdict: 'holds', n: 3 });
    expect(found.mean).toBeCloseTo(28 / 3, 12);
  });

  it('at least allows for the tolerance on one side', () => {
    // d = −0.1, 0, 0.1: 0 ± 2.91999 · 0.1 / √3 = 0.1686.
    const [a, b] = [arm('a', 9.9, 10, 10.1), arm('b', 10, 10, 10)];
    expect(judgeAtLeast(a, b, 0.5).verdict).toBe('holds');
    expect(judgeAtLeast(a, b, 0.1).verdict).toBe('open');
    expect(judgeAtLeast(arm('a', 8.9, 9, 9.1), b, 0.5).verdict).toBe('fails');
    expect(judgeAtLeast(a, b, 0.5).interval?.lower).toBeCloseTo(-0.16858, 4);
  });

  it('a ratio is measured or it is not', () => {
    expect([judgeRatio(1.00521, 1.006), judgeRatio(1.1, 1.03), judgeRatio(undefined, 1)]).toMatchObject([
      { verdict: 'holds' },
      { verdict: 'fails' },
      { verdict: 'not tested' },
    ]);
  });
});

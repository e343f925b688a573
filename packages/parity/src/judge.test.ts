import { describe, expect, it } from 'vitest';
import type { Check } from './compare.js';
import { acceptable, judge, worstOf } from './judge.js';

const check = (origin: Check['origin'], deviation: number, tolerance = 1): Check => ({
  key: `${origin} ${deviation}`,
  origin,
  deviation,
  tolerance,
});

describe('judge', () => {
  it('passes what is within all tolerances', () => {
    expect(judge([check('forward', 1), check('gradient', 0.99), check('exact', 0, 0)])).toBe('pass');
  });

  it('is inconclusive where only gradients, or what follows from them, are off', () => {
    expect(judge([check('forward', 1), check('gradient', 1.01), check('gradient', 1e9)])).toBe(
      'inconclusive',
    );
  });

  it('fails where something is off that no gradient can explain', () => {
    expect(judge([check('forward', 1.01)])).toBe('fail');
    expect(judge([check('gradient', 2), check('exact', 1e-20, 0)])).toBe('fail');
    expect(judge([check('gradient', 2), check('forward', Number.NaN)])).toBe('fail');
  });
});

describe('worstOf', () => {
  it('is the farthest in units of its tolerance', () => {
    expect(worstOf([check('forward', 5, 10), check('gradient', 2, 3), check('exact', 0, 0)])).toMatchObject({
      deviation: 2,
    });
    expect(worstOf([check('forward', 5), check('exact', 1e-9, 0)])).toMatchObject({ deviation: 1e-9 });
    expect(worstOf([check('forward', 5), check('gradient', Number.NaN)])).toMatchObject({
      deviation: Number.NaN,
    });
  });
});

describe('acceptable', () => {
  const set = (pass: number, inconclusive: number, fail = 0) => [
    ...Array.from({ length: pass }, () => 'pass' as const),
    ...Array.from({ length: inconclusive }, () => 'inconclusive' as const),
    ...Array.from({ length: fail }, () => 'fail' as const),
  ];

  it('accepts no failure, one inconclusive case, and up to a tenth', () => {
    expect(acceptable(set(1, 0))).toBe(true);
    expect(acceptable(set(0, 1))).toBe(true);
    expect(acceptable(set(8, 2))).toBe(false);
    expect(acceptable(set(18, 2))).toBe(true);
    expect(acceptable(set(17, 2))).toBe(false);
    expect(acceptable(set(99, 0, 1))).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { formatGain, formatList, formatPercent, formatSeconds } from './format.js';

describe('format', () => {
  it('writes gains with a true sign, and none on what rounds to zero', () => {
    expect([25.41, -1.26, 0.04, -0.04].map(formatGain)).toEqual(['+25.4', '−1.3', '0.0', '0.0']);
  });

  it('writes a dash for a number that is not there', () => {
    expect([58.94, undefined, Number.NaN].map(formatPercent)).toEqual(['58.9', '–', '–']);
  });

  it('writes seconds in the units people use', () => {
    expect([0.44, 9.97, 59.6, 96, 7500].map(formatSeconds)).toEqual([
      '0.4 s',
      '10 s',
      '1 min 0 s',
      '1 min 36 s',
      '2 h 5 min',
    ]);
  });

  it('joins words', () => {
    expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(formatList)).toEqual([
      '',
      'a',
      'a and b',
      'a, b and c',
    ]);
  });
});

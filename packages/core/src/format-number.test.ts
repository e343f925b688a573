import { describe, expect, it } from 'vitest';
import { formatDigits, formatNumber } from './format-number.js';

describe('formatNumber', () => {
  it('rounds half to even on the decimal value', () => {
    const values = [83.85, 78.15, 0.25, 0.35, 0.05, 0.15, 2.5, -83.85, 99.95];
    expect(values.map((value) => formatNumber(value))).toEqual([
      '83.8',
      '78.2',
      '0.2',
      '0.4',
      '0.0',
      '0.2',
      '2.5',
      '-83.8',
      '100.0',
    ]);
    expect([0.5, 1.5, 2.5, 0.51].map((value) => formatNumber(value, 0))).toEqual(['0', '2', '2', '1']);
    expect([0.0005, 0.0015, 1.0005].map((value) => formatNumber(value, 3))).toEqual([
      '0.000',
      '0.002',
      '1.000',
    ]);
  });

  it('does not see the last bits, in which sums of the same numbers differ', () => {
    expect([83.85 - 1e-13, 83.85, 83.85 + 1e-13].map((value) => formatNumber(value))).toEqual([
      '83.8',
      '83.8',
      '83.8',
    ]);
    // Two orders of one mean: 0.15 and 0.15000000000000002.
    expect(formatNumber((0.1 + 0.2) / 2)).toBe(formatNumber(0.15));
    expect([83.8501, 83.8499].map((value) => formatNumber(value))).toEqual(['83.9', '83.8']);
  });

  it('agrees with toFixed wherever there is no tie', () => {
    for (let n = -3000; n <= 3000; n++) {
      const value = n / 7;
      if (n % 7 === 0) continue;
      expect(formatNumber(value, 2).replace(/^-0\.00$/, '0.00')).toBe(
        value.toFixed(2).replace(/^-0\.00$/, '0.00'),
      );
    }
    expect([1e21, 123456789012.25, 1e-300].map((value) => formatNumber(value))).toEqual([
      '1e+21',
      '123456789012.2',
      '0.0',
    ]);
  });

  it('has no sign on what rounds to zero, and leaves what is no number', () => {
    expect([-0.04, -0, NaN, Infinity].map((value) => formatNumber(value))).toEqual([
      '0.0',
      '0.0',
      'NaN',
      'Infinity',
    ]);
  });
});

describe('formatDigits', () => {
  it('keeps so many digits of any size', () => {
    expect(
      [0.00123450001, 0.0012345, 123.45, 123.55, 0, 9.9996].map((value) => formatDigits(value, 4)),
    ).toEqual(['0.001235', '0.001234', '123.4', '123.6', '0.000', '10.00']);
  });
});

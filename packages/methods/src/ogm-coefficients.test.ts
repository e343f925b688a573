import { describe, expect, it } from 'vitest';
import { ogmCoefficients, ogmRatios, type OgmComparison } from './ogm-coefficients.js';

const rounded = (values: object) =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, Number((value as number).toFixed(6))]),
  );

describe('ogmCoefficients', () => {
  it('slows the modality down that is ahead of the other', () => {
    expect(ogmRatios({ audio: 6, visual: 4 })).toEqual({ audio: 1.5, visual: 4 / 6 });
    // 1 − tanh(1.2), 1 − tanh(0.15)
    expect(rounded(ogmCoefficients({ audio: 6, visual: 4 }, { alpha: 0.8 }))).toEqual({
      audio: 0.166345,
      visual: 1,
    });
    expect(rounded(ogmCoefficients({ audio: 6, visual: 4 }, { alpha: 0.1 }))).toEqual({
      audio: 0.851115,
      visual: 1,
    });
    expect(rounded(ogmCoefficients({ audio: 4, visual: 6 }, { alpha: 0.8 }))).toEqual({
      audio: 1,
      visual: 0.166345,
    });
  });

  it('slows the first down where both are equal, also where no true class has a probability', () => {
    const first = { audio: 0.335963, visual: 1 }; // 1 − tanh(0.8)
    expect(rounded(ogmCoefficients({ audio: 2, visual: 2 }, { alpha: 0.8 }))).toEqual(first);
    expect(rounded(ogmCoefficients({ audio: 0, visual: 0 }, { alpha: 0.8 }))).toEqual(first);
    expect(ogmCoefficients({ audio: 1, visual: 0 }, { alpha: 0.8 })).toEqual({ audio: 0, visual: 1 });
  });

  it('is the same rule for every comparison of two', () => {
    const expected = { audio: 0.166345, visual: 1 };
    for (const multi of ['pairwise', 'min', 'others-sum'] as const) {
      expect(rounded(ogmCoefficients({ audio: 6, visual: 4 }, { alpha: 0.8, multi }))).toEqual(expected);
    }
  });

  it.each<[OgmComparison, object, object]>([
    // (2 + 6) / 2, (1/2 + 3) / 2, (1/6 + 1/3) / 2; 1 − tanh(0.4), 1 − tanh(0.175)
    ['pairwise', { a: 4, b: 1.75, c: 0.25 }, { a: 0.620051, b: 0.826765, c: 1 }],
    // 1 − tanh(0.6), 1 − tanh(0.3)
    ['min', { a: 6, b: 3, c: 1 }, { a: 0.46295, b: 0.708687, c: 1 }],
    // 6/4, 3/7, 1/9; 1 − tanh(0.15)
    ['others-sum', { a: 1.5, b: 0.428571, c: 0.111111 }, { a: 0.851115, b: 1, c: 1 }],
  ])('compares three %s', (multi, ratios, coefficients) => {
    const scores = { a: 6, b: 3, c: 1 };
    expect(rounded(ogmRatios(scores, multi))).toEqual(ratios);
    expect(rounded(ogmCoefficients(scores, { alpha: 0.1, multi }))).toEqual(coefficients);
  });

  it('slows the highest of three down by others-sum even where it is below the others together', () => {
    const coefficients = ogmCoefficients({ a: 3.5, b: 4, c: 2.5 }, { alpha: 0.1, multi: 'others-sum' });
    expect(rounded(coefficients)).toEqual({ a: 1, b: 0.933432, c: 1 }); // 1 − tanh(0.1 · 4 / 6)
  });

  it('says what it does not accept', () => {
    expect(() => ogmCoefficients({ a: 1 }, { alpha: 0.8 })).toThrow(/there is only a\. Give it two or more/);
    expect(() => ogmCoefficients({ a: 1, b: 2 }, { alpha: -1 })).toThrow(/`alpha` is -1/);
    expect(() => ogmRatios({ a: 1, b: 2 }, 'mean' as never)).toThrow(
      /`multi` is "mean"\. Use one of pairwise, min/,
    );
  });
});

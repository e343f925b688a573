import { describe, expect, it } from 'vitest';
import { addStep, NO_STEPS, summarize, type EpochTotals } from './epoch-log.js';
import { quantile } from './quantile.js';

const step = (audio: number, image: number, spread: readonly string[] = ['confidence']) => ({
  loss: { total: 1 },
  scores: {},
  series: { confidence: { audio, image }, coefficients: { audio: 1, image: 0 } },
  spread,
});

const BATCHES = [[0.1, 0.9], [0.5, 0.8], [0.3, NaN], [0.2, 0.7], [0.9, 0.6]] as const; // prettier-ignore

describe('the log of an epoch', () => {
  it('has the 10 % and 90 % quantile over the batches of a series that asks for it', () => {
    const totals = BATCHES.reduce((sum, [a, b]) => addStep(sum, step(a, b)), NO_STEPS);
    const record = summarize(totals);
    // numpy.quantile([.1, .2, .3, .5, .9], [.1, .9]) and of [.6, .7, .8, .9]: the batch without an image does not count.
    expect(record['confidenceLow']).toEqual({
      audio: expect.closeTo(0.14, 14),
      image: expect.closeTo(0.63, 14),
    });
    expect(record['confidenceHigh']).toEqual({
      audio: expect.closeTo(0.74, 14),
      image: expect.closeTo(0.87, 14),
    });
    expect(record['confidence']).toEqual({ audio: expect.closeTo(0.4, 14), image: expect.closeTo(0.75, 14) });
    expect(Object.keys(record)).not.toContain('coefficientsLow');
  });

  it('is the same where it was saved in the middle', () => {
    const all = BATCHES.reduce((sum, [a, b]) => addStep(sum, step(a, b)), NO_STEPS);
    for (const at of BATCHES.keys()) {
      const before = BATCHES.slice(0, at).reduce((sum, [a, b]) => addStep(sum, step(a, b)), NO_STEPS);
      const saved = JSON.parse(JSON.stringify(before)) as EpochTotals;
      const after = BATCHES.slice(at).reduce((sum, [a, b]) => addStep(sum, step(a, b)), saved);
      expect(summarize(after)).toEqual(summarize(all));
    }
  });

  it('has none of an epoch that began before they were kept', () => {
    const { spread: _, ...old } = addStep(NO_STEPS, step(0.1, 0.2));
    const record = summarize(addStep(old, step(0.5, 0.6)));
    expect(record['confidence']).toEqual({ audio: expect.closeTo(0.3, 14), image: expect.closeTo(0.4, 14) });
    expect(Object.keys(record)).not.toContain('confidenceLow');
  });
});

describe('quantile', () => {
  it('lies on the line between two numbers', () => {
    expect(quantile([3, 1, 2], 0.5)).toBe(2);
    expect(quantile([4, 1], 0.25)).toBe(1.75);
    expect([quantile([5], 0), quantile([5], 0.9), quantile([2, 1], 1)]).toEqual([5, 5, 2]);
  });
});

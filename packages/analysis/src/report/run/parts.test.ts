import { describe, expect, it } from 'vitest';
import { plainRun } from '../../../fixtures/plain-run.js';
import { errorAxis, scoreAxis } from '../axes.js';
import { mostConfused, perClassTable } from './classes.js';
import { viewOf } from './heads-of-run.js';
import { roundUp } from './run-overview.js';
import { MOST_POINTS, scatterPlots } from './scatter.js';

describe('mostConfused', () => {
  it('sorts pairs by the number of samples, then by the share of the class', () => {
    const counts = [
      [5, 3, 0],
      [1, 9, 0],
      [3, 0, 1],
    ];
    expect(mostConfused(counts, 2)).toEqual([
      { truth: 2, predicted: 0, count: 3, share: 0.75 },
      { truth: 0, predicted: 1, count: 3, share: 0.375 },
    ]);
    expect(mostConfused(counts, 9)).toHaveLength(3);
  });
});

describe('perClassTable', () => {
  it('shows shares as percent and a dash where a score is not defined', () => {
    const run = plainRun({
      summary: {
        test: { fused: 50 },
        perClass: {
          fused: [{ precision: 0.5, recall: 1, f1: 2 / 3, support: 4 }, { support: 0 }],
          audio: [{ recall: 0.25, support: 4 }, { support: 0 }],
        },
      },
    });
    const text = perClassTable(viewOf(run))!
      .markup.replaceAll(/<[^>]+>/g, ' ')
      .replaceAll(/\s+/g, ' ');
    expect(text).toContain('recall of audio, % 0 4 50.0 100.0 66.7 25.0 1 0 – – – –');
  });
});

describe('scatterPlots', () => {
  const regression = (labels: number[], fused: number[]) =>
    viewOf(
      plainRun({
        predictions: { ids: labels.map(String), labels, classNames: [], predictions: { fused } },
        summary: { task: 'regression', test: { fused: 1 } },
      }),
    );

  it('draws one dot per sample on common axes and leaves out what is not finite', () => {
    const { markup } = scatterPlots(regression([0, 10, 5], [0, 10, Number.NaN]))!;
    // From 38 to 252 across, from 226 to 8 up.
    expect(markup).toContain('d="M38 226h0M252 8h0"');
    expect(markup).toContain('fused: 2 points');
  });

  it('thins out many samples and says so', () => {
    const many = Array.from({ length: MOST_POINTS * 2 + 1 }, (_, index) => index);
    const { markup } = scatterPlots(regression(many, many))!;
    expect(markup).toContain('one in 3 of 3,001 samples');
  });
});

describe('axes', () => {
  it('are from 0 to 100 for accuracies', () => {
    expect(scoreAxis(false, [3]).domain).toEqual([0, 100]);
  });

  it('start at zero for errors, and are logarithmic where they span much', () => {
    expect(errorAxis([1, 10])).toEqual({ domain: [0, 10.8] });
    expect(errorAxis([1, 100])).toEqual({ domain: [0.8, 125], type: 'log' });
    expect(errorAxis([])).toEqual({ domain: [0, 1] });
  });

  it('end at the next round number', () => {
    expect([0.3, 7, 23, 40, 41, 100].map(roundUp)).toEqual([expect.closeTo(0.4), 10, 40, 40, 50, 100]);
  });
});

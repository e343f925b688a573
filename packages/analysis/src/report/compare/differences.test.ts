import { describe, expect, it } from 'vitest';
import { plainRun } from '../../../fixtures/plain-run.js';
import { compareRuns } from '../../compare/compare-runs.js';
import type { ComparisonRow } from '../../compare/comparison.js';
import type { Run } from '../../run.js';
import { rowDifference } from './differences.js';

const runs = (method: string, values: readonly number[], firstSeed = 0): Run[] =>
  values.map((fused, index) =>
    plainRun({
      config: { method, seed: firstSeed + index },
      summary: { test: { fused }, confusion: { fused: [[200]] } },
    }),
  );
function rows(...all: readonly Run[][]): [ComparisonRow, ComparisonRow] {
  const table = compareRuns(all.flat()).tables[0]!;
  const of = (method: string | undefined): ComparisonRow => table.rows.find((row) => row.method === method)!;
  return [of(all[0]?.[0]?.config.method), of(all[1]?.[0]?.config.method)];
}

describe('rowDifference', () => {
  it('tests differences seed by seed where both rows have the same seeds', () => {
    // Differences 1, 2, 3: mean 2, deviation 1; 4.30 · 1 / √3 = 2.48 > 2.
    expect(rowDifference(...rows(runs('a', [61, 72, 83]), runs('b', [60, 70, 80])))).toEqual({
      points: 2,
      withinNoise: true,
      by: 'seeds',
    });
    // Differences 2, 3, 4: mean 3 > 2.48, however far the seeds lie apart.
    expect(rowDifference(...rows(runs('a', [62, 73, 84]), runs('b', [60, 70, 80])))?.withinNoise).toBe(false);
  });

  it('uses the standard errors of both where the seeds differ', () => {
    // Deviations 1 and 1 of 3 seeds each: 4.30 · √(2/3) = 3.51.
    expect(rowDifference(...rows(runs('a', [62.5, 63.5, 64.5]), runs('b', [59, 60, 61], 5)))).toEqual({
      points: 3.5,
      withinNoise: true,
      by: 'seeds',
    });
    const far = rowDifference(...rows(runs('a', [62.6, 63.6, 64.6]), runs('b', [59, 60, 61], 5)));
    expect(far?.withinNoise).toBe(false);
  });

  it('falls back to sampling the test split for a single seed', () => {
    // 200 samples at 50 %: 3.54 points each, 5.0 together, 10.0 twice.
    expect(rowDifference(...rows(runs('a', [54.9]), runs('b', [45.1])))).toMatchObject({
      withinNoise: true,
      by: 'samples',
    });
    expect(rowDifference(...rows(runs('a', [55.1]), runs('b', [45])))?.withinNoise).toBe(false);
  });

  it('does not know where there is nothing to go by', () => {
    const bare = (method: string, fused: number): Run[] => [
      plainRun({ config: { method }, summary: { test: { fused } } }),
    ];
    expect(rowDifference(...rows(bare('a', 90), bare('b', 10)))?.withinNoise).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { plainRun } from '../../../fixtures/plain-run.js';
import { compareRuns } from '../../compare/compare-runs.js';
import type { Run } from '../../run.js';
import { dotChart } from './dot-chart.js';
import { rowStyles } from './row-style.js';

const run = (method: string, fused: number, task: 'classification' | 'regression' = 'classification'): Run =>
  plainRun({ config: { method }, summary: { task, test: { fused, audio: fused } } });
const chart = (...runs: readonly Run[]): string => dotChart(compareRuns(runs).tables[0]!).markup;
const ends = (text: string): (string | undefined)[] =>
  [...text.matchAll(/<text class="tick"[^>]*>([^<]*)</g)].slice(0, 2).map(([, end]) => end);

describe('dotChart', () => {
  it('ends at 100 % for accuracies, not at the next round number', () => {
    const text = chart(run('joint', 56.3), run('g2d', 100));
    // 56.3 − 2.185 = 54.1 and 102.2, in steps of 20: 40 to 120.
    expect(ends(text)).toEqual(['40', '100']);
    // 60 of the 60 points of the axis, and 16.3 of them: 27.17 %.
    expect(text).toContain('<svg x="100%" y="10"');
    expect(text).toContain('<svg x="27.17%" y="10"');
  });

  it('begins at 0 % at the least', () => {
    // 1 − 5 = −4 is 0.
    expect(ends(chart(run('joint', 0), run('g2d', 100)))).toEqual(['0', '100']);
  });

  it('has room above 100 % for errors', () => {
    expect(ends(chart(run('joint', 56.3, 'regression'), run('g2d', 100, 'regression')))).toEqual([
      '40',
      '120',
    ]);
  });

  it('covers the intervals, and cuts one that is much wider than the values lie apart', () => {
    const seeds = (method: string, ...values: readonly number[]): Run[] =>
      values.map((fused, seed) => plainRun({ config: { method, seed }, summary: { test: { fused } } }));
    // 60, 61, 62: 61 ± 4.3027 · 1 / √3 is 58.5 to 63.5, as wide as the axis from 58 to 64.
    const three = chart(...seeds('joint', 60, 61, 62));
    expect(ends(three)).toEqual(['58', '64']);
    expect(three).toContain('class="interval" x1="8.6%" x2="91.4%"');
    // 60 and 62: 61 ± 12.7, drawn to both edges; the numbers are in its text.
    const two = chart(...seeds('joint', 60, 62));
    expect(ends(two)).toEqual(['58', '64']);
    expect(two).toContain('class="interval" x1="0%" x2="100%"');
    expect(two).toContain('interval of the mean 48.3 to 73.7 (n=2)');
  });

  it('tells rows of one colour apart by the shape of their dots', () => {
    const methods = ['joint', 'umt', 'ogm', 'mses', 'mla', 'smp', 'g2d'];
    const table = compareRuns(methods.map((method, index) => run(method, 50 + index))).tables[0]!;
    const styles = rowStyles(table);
    const looks = table.rows.map((row) => `${styles.get(row)?.color} ${styles.get(row)?.shape}`);
    expect(looks).toEqual([
      'm0 circle',
      'm1 circle',
      'm2 circle',
      'm3 circle',
      'm4 circle',
      'm5 circle',
      'm0 diamond',
    ]);
    const rows = dotChart(table).markup.split('<div class="dots-row ').slice(1);
    // In the name and in two heads each.
    expect(rows.map((text) => text.match(/class="dot circle"/g)?.length ?? 0)).toEqual([3, 3, 3, 3, 3, 3, 0]);
    expect(rows[6]?.match(/class="dot diamond"/g)).toHaveLength(3);
  });

  it('has 24 looks before one comes again', () => {
    const runs = Array.from({ length: 24 }, (_, index) => run(`method-${index}x`, index + 1));
    const table = compareRuns(runs).tables[0]!;
    const looks = [...rowStyles(table).values()].map(({ color, shape }) => `${color} ${shape}`);
    expect(new Set(looks).size).toBe(24);
  });
});

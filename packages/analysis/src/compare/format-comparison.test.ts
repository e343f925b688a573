import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { plainRun } from '../../fixtures/plain-run.js';
import type { Run } from '../run.js';
import { compareRuns } from './compare-runs.js';
import { formatComparison } from './format-comparison.js';

const results: Readonly<Record<string, readonly number[]>> = { joint: [60, 62], g2d: [81.25, 84.25] };
const runs = Object.entries(results).flatMap(([method, values]) =>
  values.map((fused, seed): Run =>
    plainRun({
      config: { method, seed },
      summary: {
        test: { fused, audio: 40 + seed, image: 20 },
        metrics: { test: { fused: { accuracy: fused, macroF1: fused - 1, calibrationError: 6.25 } } },
      },
    }),
  ),
);
const teacher = plainRun({
  config: { kind: 'teacher', method: 'joint', name: 'teacher-image', modalities: ['image'], select: 'last' },
  summary: { test: { image: 75 } },
});

describe('formatComparison', () => {
  it('aligns a table for a terminal, with the teachers below a rule', () => {
    const text = formatComparison(compareRuns([...runs, teacher]), 'text');
    expect(text.split('\n')).toEqual([
      'digits · audio and image',
      '',
      'test accuracy, %  seeds  selected on       fused        95 % interval       audio       image     vs joint  vs joint, 95 % interval  better in  macro F1, %     ECE, %',
      '──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────',
      'Joint training        2   validation  61.0 ± 1.4   48.3 to 73.7 (n=2)  40.5 ± 0.7  20.0 ± 0.0            –                        –          –   60.0 ± 1.4  6.2 ± 0.0',
      'G2D                   2   validation  82.8 ± 2.1  63.7 to 101.8 (n=2)  40.5 ± 0.7  20.0 ± 0.0  +21.8 ± 0.7     +15.4 to +28.1 (n=2)     2 of 2   81.8 ± 2.1  6.2 ± 0.0',
      '──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────',
      'Teacher of image      1   last epoch           –                    –           –        75.0            –                        –          –            –          –',
      '* The rows are of epochs that were chosen in different ways; part of their differences is that.',
    ]);
  });

  it('goes on below where the terminal is narrow', () => {
    const lines = formatComparison(compareRuns(runs), 'text', { width: 60 }).split('\n');
    expect(lines.every((line) => line.length <= 60)).toBe(true);
    expect(lines.filter((line) => line.startsWith('test accuracy, %'))).toHaveLength(5);
    expect(lines.filter((line) => line.startsWith('G2D'))).toHaveLength(5);
  });

  it('makes a Markdown table and escapes what Markdown would read', () => {
    const evil = plainRun({ config: { name: 'a|b_<i>`\n*' }, summary: { test: { fused: 50 } } });
    const text = formatComparison(compareRuns([evil]), 'markdown');
    expect(text.split('\n')).toEqual([
      '**digits · audio and image**',
      '',
      '| test accuracy, % | seeds | selected on | fused |',
      '| --- | ---: | ---: | ---: |',
      String.raw`| a\|b\_\<i\>\`\\u000a\* | 1 | validation | 50.0 |`,
      '',
      '- One seed (0): what another seed would change is not known.',
    ]);
  });

  it('has further columns behind its own, unless no row says anything there', () => {
    const columns = [
      { title: 'setting', cell: ({ method }: { method: string }) => (method === 'g2d' ? 'a | b' : '–') },
      { title: 'nothing', cell: () => '–' },
    ];
    const comparison = compareRuns(runs);
    const [, , header, , ...lines] = formatComparison(comparison, 'markdown', { columns }).split('\n');
    expect(header).toMatch(/ ECE, % \| setting \|$/);
    expect(lines.map((line) => line.slice(-13))).toEqual([
      expect.stringMatching(/ \| – \|$/),
      expect.stringMatching(/ \| a \\\| b \|$/),
    ]);
    expect(formatComparison(comparison, 'text', { columns }).split('\n')[2]).toMatch(/ECE, % +setting$/);
    expect(formatComparison(comparison, 'csv', { columns })).toBe(formatComparison(comparison, 'csv'));
  });

  it('names the selection in every format', () => {
    const best = plainRun({ config: { select: 'test-best' }, summary: { test: { fused: 50 } } });
    const comparison = compareRuns([best]);
    for (const format of ['text', 'markdown'] as const) {
      expect(formatComparison(comparison, format)).toContain('Selected on the test split (test-best): G2D');
    }
    expect(formatComparison(comparison, 'csv')).toContain(',test-best,');
  });

  it('writes CSV that another reader understands, at full precision', () => {
    const odd = plainRun({
      config: { name: 'one, "two"\nthree', method: 'mla' },
      summary: { test: { fused: 100 / 3 } },
    });
    const text = formatComparison(compareRuns([...runs, teacher, odd]), 'csv');
    expect(text.endsWith('\r\n')).toBe(true);
    const records = parse(text, { columns: true }) as Record<string, string>[];
    expect(records.map((record) => record['label'])).toEqual([
      'one, "two"\nthree',
      'Joint training',
      'G2D',
      'Teacher of image',
    ]);
    expect(Number(records[0]?.['test_fused_mean'])).toBe(100 / 3);
    expect(records[0]).toMatchObject({ test_fused_sd: '', gain_over: 'Joint training' });
    expect(records[2]).toMatchObject({
      seeds: '2',
      seed_list: '0 1',
      selection: 'validation-best',
      test_fused_mean: '82.75',
      test_fused_n: '2',
      test_image_mean: '20',
      test_main_macroF1_mean: '81.75',
      gain_mean: '21.75',
      gain_n: '2',
      gain_seed_list: '0 1',
      gain_seeds_better: '2',
      gain_seeds_compared: '2',
    });
    expect(Number(records[2]?.['test_fused_sd'])).toBeCloseTo(Math.sqrt(4.5), 12);
    // 12.7062 · √4.5 / √2 below.
    expect(Number(records[2]?.['test_fused_lower'])).toBeCloseTo(82.75 - 12.7062 * 1.5, 3);
    expect(records[3]).toMatchObject({ kind: 'teacher', test_fused_mean: '', test_image_mean: '75' });
  });

  it('keeps several datasets apart', () => {
    const other = plainRun({ config: { dataset: { name: 'sounds' } }, summary: { test: { fused: 50 } } });
    const text = formatComparison(compareRuns([...runs, other]), 'text');
    expect(text).toMatch(/^These runs are not all on the same data .*\n\ndigits · audio and image\n/);
    expect(text).toContain('\n\nsounds · audio and image\n');
  });

  it('rejects another format', () => {
    expect(() => formatComparison(compareRuns(runs), 'xml' as 'csv')).toThrow('The format is "xml"');
  });
});

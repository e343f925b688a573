import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { FORMAT_NAMES, formatOf, formatted } from './format.js';
import { escapeLatex } from './latex.js';
import type { PrintedTable } from './printed-table.js';

const score = { dataset: 'crema-d', method: 'joint', head: 'fused', metric: 'accuracy' } as const;
const cell = { cell: { kind: 'score', score }, seeds: [0, 1, 2], without: [], isBetterLow: false } as const;

/** Two methods; the second has fewer seeds, and a name that every format would take for something else. */
const table: PrintedTable = {
  place: 'table-8',
  scale: 'paper',
  protocol: 'published',
  title: 'Table 8. G2D & <others>',
  heading: 'Scale paper.',
  grids: [
    {
      corner: 'test accuracy, %',
      columns: ['Joint-Train', 'a_b|*c*, "d"'],
      contest: 'row',
      agreement: [],
      rows: [
        {
          label: 'CREMA-D',
          isDerived: false,
          cells: [
            { ...cell, mean: 85.894, deviation: 0.305, rank: 'best', published: 85.89, difference: 0.004 },
            {
              ...cell,
              mean: 7,
              seeds: [0],
              rank: 'second',
              published: 83.51,
              doubt: 'protocol',
              difference: -76.51,
            },
          ],
        },
        {
          label: '  SMP adds',
          isDerived: true,
          cells: [{ ...cell, mean: -0.001, deviation: 1 }, undefined],
        },
        {
          label: 'not run',
          isDerived: false,
          cells: [
            { ...cell, seeds: [] },
            { ...cell, seeds: [] },
          ],
        },
      ],
    },
  ],
  claims: [
    {
      id: 'T8.1',
      dataset: 'CREMA-D',
      claim: 'g2d > di-mml',
      verdict: 'holds',
      mean: 2.4,
      interval: { lower: -0.1, upper: 4.9 },
      n: 3,
      why: 'a reason',
      published: 'true (2.38)',
    },
  ],
  notes: ['A note with 100 % & a_b.'],
  command: 'npx g2d table 8',
};

describe('formatted', () => {
  it('text: the numbers with their marks, three lines for a row', () => {
    const lines = formatted(table, 'text', Infinity).split('\n');
    expect(lines.slice(4, 13)).toEqual([
      'test accuracy, %    Joint-Train  a_b|*c*, "d"',
      '─────────────────────────────────────────────',
      'CREMA-D           85.89 ± 0.30¹   7.00 (n=1)²',
      '  published               85.89        83.51?',
      '  difference               0.00        −76.51',
      '  SMP adds          0.00 ± 1.00',
      'not run                       —             —',
      '',
      '1 claim: 1 holds.',
    ]);
    expect(lines).toContain('T8.1 CREMA-D    holds  +2.40  −0.10 to +4.90  3  true (2.38)');
  });

  it('markdown: as many cells in every line, and nothing that the text means', () => {
    const lines = formatted(table, 'markdown', 80)
      .split('\n')
      .filter((line) => line.startsWith('| '));
    const columns = lines.map((line) => line.replaceAll(String.raw`\|`, '').split('|').length - 2);
    expect(columns).toEqual([3, 3, 3, 3, 3, 3, 3, 8, 8, 8]);
    expect(lines[2]).toBe('| CREMA-D | **85.89 ± 0.30** | <u>7.00 (n=1)</u> |');
    expect(lines[0]).toContain(String.raw`a\_b\|\*c\*, "d"`);
  });

  it('csv: every cell with all of its digits', () => {
    const records = parse(formatted(table, 'csv', 80), {
      columns: true,
      relax_column_count: false,
    }) as object[];
    expect(records.length).toBe(5);
    expect(records[0]).toMatchObject({
      table: 'table-8',
      row: 'CREMA-D',
      column: 'Joint-Train',
      mean: '85.894',
      sd: '0.305',
      seeds: '0 1 2',
      rank: 'best',
      published: '85.89',
      difference: '0.004',
    });
    expect(records[1]).toMatchObject({ column: 'a_b|*c*, "d"', n: '1', sd: '', doubt: 'protocol' });
  });

  it('latex: braces and environments that close, as many cells as columns', () => {
    const text = formatted(table, 'latex', 80);
    const bare = text.replaceAll(/\\[{}]/g, '');
    expect(bare.split('{').length).toBe(bare.split('}').length);
    expect(text.match(/\\begin\{(\w+\*?)\}/g)?.length).toBe(text.match(/\\end\{(\w+\*?)\}/g)?.length);
    expect(text).toContain(String.raw`CREMA-D & \textbf{85.89 $\pm$ 0.30} & \underline{7.00 (n=1)} \\`);
    expect(text).toContain(String.raw`test accuracy, \% & Joint-Train & a\_b|*c*, "d" \\`);
    expect(text).toContain(String.raw`\caption{Table 8. G2D \& $<$others$>$. Scale paper.}`);
    expect(escapeLatex('τ₁ ≥ −1 ✗')).toBe(String.raw`$\tau$$_1$ $\geq$ $-$1 $\times$`);
  });

  it('html: a page of its own, with every text escaped', () => {
    const text = formatted(table, 'html', 80);
    expect(text).toContain('G2D &amp; &lt;others&gt;');
    expect(text).toContain('<b>85.89 ± 0.30</b>');
    expect(text).toContain('<span class="worse">−76.51</span>');
    expect(text).not.toMatch(/<script|src=|href="http/);
  });

  it('json: everything as data', () => {
    expect(JSON.parse(formatted(table, 'json', 80))).toMatchObject({
      place: 'table-8',
      claims: [{ id: 'T8.1' }],
    });
  });
});

describe('formatOf', () => {
  it('goes by the ending of a file unless it is told', () => {
    expect(['a.md', 'a.tex', 'a.html', 'a', undefined].map((file) => formatOf(undefined, file))).toEqual([
      'markdown',
      'latex',
      'html',
      'text',
      'text',
    ]);
    expect(formatOf('csv', 'a.md')).toBe('csv');
    expect(() => formatOf('word', undefined)).toThrow(`it can be ${FORMAT_NAMES.join(', ')}.`);
  });
});

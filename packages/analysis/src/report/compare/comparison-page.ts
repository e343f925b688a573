import { checkKeys } from '@g2d/core';
import { comparisonCells, type ComparisonColumn } from '../../compare/cells.js';
import { compareRuns } from '../../compare/compare-runs.js';
import type { ComparisonRow, ComparisonTable } from '../../compare/comparison.js';
import type { EstimateOptions } from '../../compare/estimate.js';
import { tableTitle } from '../../compare/format-comparison.js';
import { formatSeconds } from '../../format.js';
import type { Run, StartedRun } from '../../run.js';
import { flatSettings } from '../../run-settings.js';
import { cellsTable } from '../cells-table.js';
import { strips, STRIPS_HINT } from '../confidence.js';
import { pointsList } from '../findings.js';
import { comparisonLead } from '../lead.js';
import { markup, type Markup, type Part } from '../markup.js';
import { renderPage } from '../page.js';
import { section, type Section } from '../sections.js';
import { commandBlock, configurations, factsList } from '../settings.js';
import { comparisonFindings } from './comparison-findings.js';
import { dotChart } from './dot-chart.js';
import { overlaidLosses, overlaidScores } from './overlaid-curves.js';

export interface ComparisonReportOptions extends EstimateOptions {
  readonly title: string;
  /** From `readRun` or `readStartedRun`, in any order, at least one of them finished. */
  readonly runs: readonly StartedRun[];
  /** A paragraph about the runs, as plain text. */
  readonly introduction?: string;
  /** The command line that makes this page again. */
  readonly command?: string;
  /** Further ones of the table of results, behind its own. */
  readonly columns?: readonly ComparisonColumn[];
}

/**
 * One self-contained HTML page about runs of different methods, settings and seeds: the table of `compareRuns`, each head with
 * its interval, the learning curves on top of each other, who trained when, and the settings that differ.
 *
 * As for `renderReport`: no script, no request, every text escaped, every sentence made from the numbers. A colour is a method
 * here. Runs on other data are in a table and charts of their own.
 *
 * @returns The text of the file: below 1.5 MB for some dozens of runs of 300 epochs.
 * @throws {OptionError} If there are no runs.
 * @example
 * const runs = ['joint', 'smp', 'g2d'].map((name) => readRun(`packages/analysis/fixtures/run-group/${name}`));
 * writeFileSync('compare.html', renderComparison({ title: 'Three methods', runs }));
 */
export function renderComparison(options: ComparisonReportOptions): string {
  const {
    title,
    runs,
    introduction,
    command: _command,
    columns: _columns,
    ...estimate
  } = checkKeys(
    options,
    { title: true, runs: true, introduction: true, command: true, columns: true, level: true },
    'renderComparison',
  );
  const { tables, notes, level } = compareRuns(runs, estimate);
  const findings = tables.map((table) => comparisonFindings(table, level));
  const isOne = tables.length === 1;
  return renderPage({
    title,
    lead: comparisonLead(runs.length, tables.flatMap(({ rows }) => rows).length),
    introduction,
    headline: isOne
      ? (findings[0]?.headline ?? '')
      : `${tables.length} tables: these runs are not all on the same data with the same modalities.`,
    overview: [
      notesList(notes),
      ...tables.map(
        (table, index) =>
          markup`${!isOne && markup`${heading(table)}<p>${findings[index]?.headline}</p>`}${dotChart(table)}${pointsList(findings[index]?.points ?? [])}`,
      ),
    ],
    sections: sectionsOf(tables, level, options),
  });
}

const heading = (table: ComparisonTable): Markup => markup`<h3 class="table-title">${tableTitle(table)}</h3>`;

function sectionsOf(
  tables: readonly ComparisonTable[],
  level: number,
  { command, columns = [] }: ComparisonReportOptions,
): Section[] {
  const withEpochs = tables.filter(({ rows }) =>
    rows.some(({ runs }) => runs.some(({ metrics }) => metrics.length > 0)),
  );
  const scheduled = tables.filter(({ rows }) => rows.some((row) => coefficientsOf(row) !== undefined));
  /** Content of each table, under its title where there are several. */
  const each = (shown: readonly ComparisonTable[], content: (table: ComparisonTable) => Part): Part =>
    shown.length > 0 && shown.map((table) => [tables.length > 1 && heading(table), content(table)]);
  return [
    section(
      'results',
      each(tables, (table) => resultsTable(table, level, columns)),
      {
        hint: 'Test split, from the worst to the best fused answer, mean ± sample standard deviation over seeds; below, the teachers, each trained on one modality alone. “Selected on” says how the epoch was chosen. ECE: expected calibration error.',
      },
    ),
    section('curves', each(withEpochs, overlaidScores), {
      hint: 'Every line is the mean over the seeds of a method, the shade behind it reaches from its lowest to its highest seed. Dotted level line: the modality’s teacher.',
    }),
    section('losses', each(withEpochs, overlaidLosses), {
      hint: 'Training loss by epoch. A method that adds parts to the loss has a higher total: only the task itself can be compared.',
    }),
    section(
      'schedule',
      each(scheduled, ({ rows, modalities }) =>
        rows.map((row) => {
          const run = coefficientsOf(row);
          return run && strips({ runs: [run], modalities }, run, row.label);
        }),
      ),
      { title: 'Who trained when (κ)', hint: `${STRIPS_HINT} Of several seeds the first is shown.` },
    ),
    section('settings', [commandBlock(command), each(tables, settingsOf), machines(tables)], {
      hint: 'What differs between the rows, what is the same, and where the numbers come from.',
    }),
  ];
}

function coefficientsOf(row: ComparisonRow): Run | undefined {
  return row.runs.find(({ metrics }) => metrics.some(({ coefficients }) => coefficients));
}

function resultsTable(table: ComparisonTable, level: number, further: readonly ComparisonColumn[]): Part {
  const linesOf = (part: 'results' | 'cost') => {
    const { header, rows, teachers } = comparisonCells(table, level, { part, further });
    const lines = [
      ...rows.map((cells) => ({ cells, kind: 'student' })),
      ...teachers.map((cells) => ({ cells, kind: 'teachers' })),
    ];
    return { header, lines };
  };
  const [results, cost] = [linesOf('results'), linesOf('cost')];
  const costHeader = ['what it took', ...cost.header.slice(1)];
  return [
    cellsTable('results compared', results.header, results.lines),
    // The labels alone say nothing.
    cost.header.length > 1 && cellsTable('results', costHeader, cost.lines),
    notesList(table.notes),
  ];
}

function notesList(notes: readonly string[]): Markup | undefined {
  if (notes.length === 0) return undefined;
  return markup`<ul class="notes">${notes.map((note) => markup`<li>${note}</li>`)}</ul>`;
}

function settingsOf({ rows, teachers }: ComparisonTable): Markup {
  return markup`${rows.length > 0 && settingsTable(rows)}${teachers.length > 0 && markup`<h3>Teachers</h3>${settingsTable(teachers)}`}
<details class="words"><summary>All runs</summary>${runsTable([...rows, ...teachers])}</details>`;
}

function settingsTable(rows: readonly ComparisonRow[]): Markup {
  const columns = rows.flatMap(({ label, seeds, runs: [run] }) => {
    if (!run) return [];
    const { seed: _, teachers: __, ...config } = run.config;
    return [{ name: label, config: { ...config, seeds: seeds.join(', ') } }];
  });
  return configurations(columns);
}

function runsTable(rows: readonly ComparisonRow[]): Markup {
  const lines = rows.flatMap(({ label, runs }) =>
    runs.map(({ config: { seed, epochs }, summary: { selectedEpoch, seconds }, folder }) => {
      const time = seconds === undefined ? '–' : formatSeconds(seconds);
      return { cells: [label, String(seed), `${selectedEpoch ?? '–'} of ${epochs}`, time, folder] };
    }),
  );
  return cellsTable('config', ['row', 'seed', 'epoch', 'time', 'folder'], lines);
}

/** Values of one fact beyond which they are counted, not listed. */
const MOST_VALUES = 4;

function machines(tables: readonly ComparisonTable[]): Markup | undefined {
  const runs = new Set(
    tables.flatMap(({ rows, teachers }) => [...rows, ...teachers].flatMap((row) => row.runs)),
  );
  const facts = new Map<string, Set<string>>();
  for (const { config } of runs) {
    for (const [key, value] of flatSettings(config.environment ?? {})) {
      facts.set(key, (facts.get(key) ?? new Set()).add(value));
    }
  }
  if (facts.size === 0) return undefined;
  const words = (values: ReadonlySet<string>): string =>
    values.size > MOST_VALUES ? `${values.size} different ones` : [...values].join(' / ');
  return markup`<h3>Machines and versions</h3>${factsList([...facts].map(([key, values]) => [key, words(values)]))}`;
}

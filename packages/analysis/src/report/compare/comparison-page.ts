import { comparisonCells } from '../../compare/cells.js';
import { compareRuns } from '../../compare/compare-runs.js';
import type { ComparisonRow, ComparisonTable } from '../../compare/comparison.js';
import type { EstimateOptions } from '../../compare/estimate.js';
import { tableTitle } from '../../compare/format-comparison.js';
import { formatSeconds } from '../../format.js';
import type { Run } from '../../run.js';
import { flatSettings } from '../../run-settings.js';
import { strips, STRIPS_HINT } from '../confidence.js';
import { markup, type Markup, type Part } from '../markup.js';
import { commandBlock, configurations, factsList } from '../settings.js';
import { pageShell, pointsList, type Section } from '../shell.js';
import { comparisonFindings } from './comparison-findings.js';
import { dotChart } from './dot-chart.js';
import { overlaidLosses, overlaidScores } from './overlaid-curves.js';

export interface ComparisonReportOptions extends EstimateOptions {
  readonly title: string;
  /** From `readRun`, at least one, in any order. */
  readonly runs: readonly Run[];
  /** A paragraph about the runs, as plain text. */
  readonly introduction?: string;
  /** The command line that makes this page again. */
  readonly command?: string;
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
  const { title, runs, introduction } = options;
  const { tables, notes, level } = compareRuns(runs, options);
  const findings = tables.map((table) => comparisonFindings(table, level));
  const isOne = tables.length === 1;
  return pageShell({
    title,
    header: markup`<p class="lead">${lead(runs, tables)}</p>
${introduction !== undefined && markup`<p class="introduction">${introduction}</p>`}`,
    headline: isOne
      ? (findings[0]?.headline ?? '')
      : `${tables.length} tables: these runs are not all on the same data with the same modalities.`,
    overview: markup`${notesList(notes)}
${tables.map(
  (table, index) =>
    markup`${!isOne && markup`<h3 class="table-title">${tableTitle(table)}</h3><p>${findings[index]?.headline}</p>`}${dotChart(table)}${pointsList(findings[index]?.points ?? [])}`,
)}`,
    sections: sectionsOf(tables, level, options),
    footer:
      'Made by @g2d/analysis from the run folders alone. Nothing on this page is loaded from elsewhere.',
  });
}

function lead(runs: readonly Run[], tables: readonly ComparisonTable[]): string {
  const rows = tables.reduce((sum, table) => sum + table.rows.length, 0);
  const words = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;
  return `${words(runs.length, 'run', 'runs')}, ${words(rows, 'method or setting', 'methods or settings')}. A model that learns from several modalities at once tends to lean on one of them; “fused” is its whole answer, and the other columns are what its single heads have learned.`;
}

function sectionsOf(
  tables: readonly ComparisonTable[],
  level: number,
  { command }: ComparisonReportOptions,
): Section[] {
  const withRows = tables.filter(({ rows }) => rows.length > 0);
  const withEpochs = withRows.filter(({ rows }) =>
    rows.some(({ runs }) => runs.some(({ metrics }) => metrics.length > 0)),
  );
  const scheduled = withRows.filter(({ rows }) => rows.some((row) => coefficientsOf(row) !== undefined));
  /** Content of each table, under its title where there are several. */
  const each = (shown: readonly ComparisonTable[], content: (table: ComparisonTable) => Part): Markup =>
    markup`${shown.map((table) => markup`${tables.length > 1 && markup`<h3 class="table-title">${tableTitle(table)}</h3>`}${content(table)}`)}`;
  const sections: (Section | undefined)[] = [
    {
      id: 'results',
      title: 'Results',
      hint: 'Test part, from the worst to the best fused answer, mean ± sample standard deviation over seeds; below, the teachers, each trained on one modality alone. “Selected on” says how the epoch was chosen. ECE: expected calibration error.',
      content: each(tables, (table) => resultsTable(table, level)),
    },
    withEpochs.length === 0
      ? undefined
      : {
          id: 'curves',
          title: 'Learning curves',
          hint: 'Every line is the mean over the seeds of a method, the shade behind it reaches from its lowest to its highest seed. Dotted level line: the modality’s teacher.',
          content: each(withEpochs, overlaidScores),
        },
    withEpochs.length === 0
      ? undefined
      : {
          id: 'losses',
          title: 'Losses',
          hint: 'Training loss by epoch. A method that adds parts to the loss has a higher total: only the task itself can be compared.',
          content: each(withEpochs, overlaidLosses),
        },
    scheduled.length === 0
      ? undefined
      : {
          id: 'schedule',
          title: 'Who trained when (κ)',
          hint: `${STRIPS_HINT} Of several seeds the first is shown.`,
          content: each(scheduled, ({ rows, modalities }) =>
            rows.flatMap((row) => {
              const run = coefficientsOf(row);
              return run ? [strips({ runs: [run], modalities }, run, row.label)] : [];
            }),
          ),
        },
    {
      id: 'settings',
      title: 'Settings',
      hint: 'What differs between the rows, what is the same, and where the numbers come from.',
      content: markup`${commandBlock(command)}${each(tables, settingsOf)}${machines(tables)}`,
    },
  ];
  return sections.filter((section) => section !== undefined);
}

function coefficientsOf(row: ComparisonRow): Run | undefined {
  return row.runs.find(({ metrics }) => metrics.some(({ coefficients }) => coefficients));
}

function resultsTable(table: ComparisonTable, level: number): Markup {
  const { header, rows, teachers } = comparisonCells(table, level);
  const line = (cells: readonly string[], kind: string): Markup =>
    markup`<tr class="${kind}">${cells.map((cell, column) => (column === 0 ? markup`<th scope="row">${cell}</th>` : markup`<td class="number">${cell}</td>`))}</tr>`;
  return markup`<div class="scroll"><table class="results compared"><thead><tr>${header.map((cell, column) => markup`<th scope="col"${column > 0 && markup` class="number"`}>${cell}</th>`)}</tr></thead><tbody>${rows.map((cells) => line(cells, 'student'))}${teachers.map((cells) => line(cells, 'teachers'))}</tbody></table></div>${notesList(table.notes)}`;
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
  const titles = ['row', 'seed', 'epoch', 'time', 'folder'];
  return markup`<div class="scroll"><table class="config"><thead><tr>${titles.map((title) => markup`<th scope="col">${title}</th>`)}</tr></thead><tbody>${rows.map(
    ({ label, runs }) =>
      runs.map(
        ({ config, summary, folder }) =>
          markup`<tr><th scope="row">${label}</th><td>${config.seed}</td><td>${summary.selectedEpoch ?? '–'} of ${config.epochs}</td><td>${summary.seconds === undefined ? '–' : formatSeconds(summary.seconds)}</td><td>${folder}</td></tr>`,
      ),
  )}</tbody></table></div>`;
}

/** Values of one fact beyond which they are counted, not listed. */
const MOST_VALUES = 4;

function machines(tables: readonly ComparisonTable[]): Markup {
  const runs = new Set(
    tables.flatMap(({ rows, teachers }) => [...rows, ...teachers].flatMap((row) => row.runs)),
  );
  const facts = new Map<string, Set<string>>();
  for (const { config } of runs) {
    for (const [key, value] of flatSettings(config.environment ?? {})) {
      facts.set(key, (facts.get(key) ?? new Set()).add(value));
    }
  }
  if (facts.size === 0) return markup``;
  const words = (values: ReadonlySet<string>): string =>
    values.size > MOST_VALUES ? `${values.size} different ones` : [...values].join(' / ');
  return markup`<h3>Machines and versions</h3>${factsList([...facts].map(([key, values]) => [key, words(values)]))}`;
}

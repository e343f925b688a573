import { formatNumber } from '@g2d/core';
import { formatGain, formatPercent, shortNumber } from '../format.js';
import type { ComparisonRow, ComparisonTable } from './comparison.js';
import type { Estimate } from './estimate.js';
import { selectionWords } from './notes.js';

/** A comparison as texts: what a terminal, a Markdown file and a page all print. */
interface ComparisonCells {
  readonly header: readonly string[];
  /** One line per method, in the order of the header. */
  readonly rows: readonly (readonly string[])[];
  readonly teachers: readonly (readonly string[])[];
}

const NONE = '–';

/** A column of a table of results. */
export interface ComparisonColumn {
  readonly title: string;
  /** `–` where there is nothing to say of a row. */
  readonly cell: (row: ComparisonRow) => string;
}

interface Column extends ComparisonColumn {
  /** Shown even if every cell is empty. */
  readonly always?: boolean;
}

/**
 * Header and cells of a table; columns in which no row has anything are left out.
 *
 * @param further Columns that whoever shows it adds behind the others.
 */
export function comparisonCells(
  table: ComparisonTable,
  level: number,
  further: readonly ComparisonColumn[] = [],
): ComparisonCells {
  const all = [...table.rows, ...table.teachers];
  const columns = [...columnsOf(table, level), ...further].filter(
    ({ cell, always }: Column) => always === true || all.some((row) => cell(row) !== NONE),
  );
  const line = (row: ComparisonRow): string[] => columns.map(({ cell }) => cell(row));
  return {
    header: columns.map(({ title }) => title),
    rows: table.rows.map(line),
    teachers: table.teachers.map(line),
  };
}

function columnsOf({ task, modalities, rows }: ComparisonTable, level: number): Column[] {
  const score = task === 'regression' ? 'test MAPE, %' : 'test accuracy, %';
  const isRepeated = rows.some(({ gain }) => (gain?.wins.of ?? 0) > 1);
  return [
    { title: score, cell: ({ label }) => label, always: true },
    { title: 'seeds', cell: seedsCell, always: true },
    // Early, where nothing cuts it off: a selection on test changes what every number after it means.
    { title: 'selected on', cell: ({ select }) => selectionWords(select), always: true },
    { title: 'fused', cell: (row) => withDeviation(row.test['fused']) },
    {
      title: `${percentOf(level)} interval`,
      cell: ({ test, main }) => formatInterval(test[main]),
    },
    ...modalities.map((modality) => ({
      title: modality,
      cell: ({ test }: ComparisonRow) => withDeviation(test[modality]),
    })),
    { title: 'vs joint', cell: ({ gain }) => withDeviation(gain, formatGain) },
    { title: `vs joint, ${percentOf(level)} interval`, cell: ({ gain }) => formatInterval(gain, formatGain) },
    {
      title: 'better in',
      cell: ({ gain }) =>
        gain && isRepeated && gain.wins.of > 0 ? `${gain.wins.better} of ${gain.wins.of}` : NONE,
    },
    { title: 'macro F1, %', cell: ({ metrics }) => withDeviation(metrics['macroF1']) },
    { title: 'R²', cell: ({ metrics }) => withDeviation(metrics['rSquared'], threeDigits) },
    {
      title: 'ECE, %',
      cell: ({ metrics }) => withDeviation(metrics['calibrationError']),
    },
    { title: 'validation', cell: (row) => withDeviation(row.validation[row.main]) },
  ];
}

/** `84.3 ± 0.3`, or `84.3` where there is one seed. */
export function withDeviation(
  value: Pick<Estimate, 'mean' | 'deviation'> | undefined,
  format: (value: number) => string = formatPercent,
): string {
  if (!value) return NONE;
  const { mean, deviation } = value;
  if (deviation === undefined) return format(mean);
  return `${format(mean)} ± ${format === threeDigits ? threeDigits(deviation) : formatNumber(deviation)}`;
}

/** `83.9 to 84.7 (n=5)`. */
export function formatInterval(
  value: Pick<Estimate, 'interval' | 'n'> | undefined,
  format: (value: number) => string = formatPercent,
): string {
  if (!value?.interval) return NONE;
  return `${format(value.interval.lower)} to ${format(value.interval.upper)} (n=${value.n})`;
}

/** `95 %`. */
export const percentOf = (share: number): string => `${shortNumber(100 * share, 4)} %`;

/** `4`, or `4 of 5` where a run is not finished. */
const seedsCell = ({ seeds, unfinished }: ComparisonRow): string =>
  `${seeds.length}${unfinished.length > 0 ? ` of ${seeds.length + unfinished.length}` : ''}`;

function threeDigits(value: number): string {
  const text = formatNumber(Math.abs(value), 3);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

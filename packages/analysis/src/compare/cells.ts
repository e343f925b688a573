import { formatNumber } from '@g2d/core';
import { formatGain, formatPercent, shortNumber } from '../format.js';
import { SCORES } from '../score-words.js';
import type { ComparisonRow, ComparisonTable } from './comparison.js';
import { ratioCell, secondsCell, stepsCell } from './cost-words.js';
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
  /** Of what a row took, not of what it came to. */
  readonly cost?: boolean;
}

/**
 * Header and cells of a table; columns in which no row has anything are left out.
 *
 * @param options `part`: of the columns, beside the labels: results, or what they took; default: all. `further`: columns that whoever
 * shows it adds behind the others.
 */
export function comparisonCells(
  table: ComparisonTable,
  level: number,
  {
    part,
    further = [],
  }: { readonly part?: 'results' | 'cost'; readonly further?: readonly ComparisonColumn[] } = {},
): ComparisonCells {
  const all = [...table.rows, ...table.teachers];
  const columns = [...columnsOf(table, level), ...further]
    .filter(({ cost = false }: Column, place) => !part || place === 0 || cost === (part === 'cost'))
    .filter(({ cell, always }: Column) => always === true || all.some((row) => cell(row) !== NONE));
  const line = (row: ComparisonRow): string[] => columns.map(({ cell }) => cell(row));
  return {
    header: columns.map(({ title }) => title),
    rows: table.rows.map(line),
    teachers: table.teachers.map(line),
  };
}

function columnsOf({ task, modalities, rows }: ComparisonTable, level: number): Column[] {
  const score = `test ${SCORES[task].name}, %`;
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
    { title: 'also differs in', cell: differencesCell, cost: true },
    { title: 'joint steps', cell: ({ cost }) => stepsCell(cost) ?? NONE, cost: true },
    { title: '× joint', cell: (row) => ratioCell(row.cost, baseSteps(row, rows)) ?? NONE, cost: true },
    { title: 'time', cell: ({ cost }) => secondsCell(cost) ?? NONE, cost: true },
    { title: 'macro F1, %', cell: ({ metrics }) => withDeviation(metrics['macroF1']) },
    { title: 'all classes right, %', cell: ({ metrics }) => withDeviation(metrics['subsetAccuracy']) },
    { title: 'mAP, %', cell: ({ metrics }) => withDeviation(metrics['meanAveragePrecision']) },
    { title: 'R²', cell: ({ metrics }) => withDeviation(metrics['rSquared'], threeDigits) },
    {
      title: 'ECE, %',
      cell: ({ metrics }) => withDeviation(metrics['calibrationError']),
    },
    { title: 'validation', cell: (row) => withDeviation(row.validation[row.main]) },
  ];
}

/** Named in a cell; the notes have all of them, with their values. */
const MOST_KEYS = 2;

/** `epochs, learningRate and 3 more`. */
function differencesCell({ against }: ComparisonRow): string {
  const keys = (against?.differences ?? []).map(shortKey);
  if (keys.length === 0) return NONE;
  const more = keys.length - MOST_KEYS;
  return `${keys.slice(0, MOST_KEYS).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** `learningRate` of `optimizer.learningRate`, `fusion` of `fusion.type`. */
const shortKey = ({ key }: { readonly key: string }): string =>
  key
    .replace(/\.(type|name)$/, '')
    .split('.')
    .at(-1) as string;

/** Joint steps of joint training, where that is what a row is compared with, or of the row itself. */
function baseSteps(row: ComparisonRow, rows: readonly ComparisonRow[]): number | undefined {
  const joint =
    row.method === 'joint' && row.kind === 'student'
      ? row
      : rows.find(({ label }) => label === row.gain?.over);
  return joint?.cost.steps?.mean;
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

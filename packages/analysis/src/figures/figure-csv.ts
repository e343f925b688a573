import type { FigureData, FigureValue } from './data/figure-data.js';

const COLUMNS = [
  'quantity',
  'dataset',
  'method',
  'head',
  'seed',
  'split',
  'epoch',
  'sample',
  'value',
] as const;

/**
 * Every number behind a figure, one a line, in full precision: RFC 4180 with a header. A number that is not finite is empty; without an epoch
 * it is of the one that the run selected.
 */
export function figureCsv({ values }: FigureData): string {
  const lines = values.map((value) => COLUMNS.map((column) => cell(value[column])));
  return [COLUMNS, ...lines].map((cells) => `${cells.join(',')}\r\n`).join('');
}

function cell(value: FigureValue[keyof FigureValue]): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : '';
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

import { formatGain, formatPercent } from './format.js';
import type { ResultsRow } from './results-table.js';
import { textTable } from './text-table.js';

/**
 * The table of results for a terminal: one line per method, numbers right-aligned, `–` where there is none.
 *
 * @param rows From `resultsTable`.
 * @returns Lines joined by `\n`, without a trailing one. Accuracies in percent, gains in points.
 */
export function formatTable(rows: readonly ResultsRow[]): string {
  const { header, cells } = tableCells(rows);
  return textTable(header, cells);
}

/** Header and cells as text: what the terminal and the page both print. */
export function tableCells(rows: readonly ResultsRow[]): { header: string[]; cells: string[][] } {
  const modalities = [...new Set(rows.flatMap((row) => Object.keys(row.perModality)))];
  return {
    header: ['test accuracy, %', 'fused', ...modalities, 'vs joint'],
    cells: rows.map((row) => [
      row.label,
      formatPercent(row.fused),
      ...modalities.map((modality) => formatPercent(row.perModality[modality])),
      row.gain === undefined ? '–' : formatGain(row.gain),
    ]),
  };
}

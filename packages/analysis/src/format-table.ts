import { formatGain, formatPercent } from './format.js';
import type { ResultsRow } from './results-table.js';

/**
 * The table of results for a terminal: one line per method, numbers right-aligned, `–` where there is none.
 *
 * @param rows From `resultsTable`.
 * @returns Lines joined by `\n`, without a trailing one. Accuracies in percent, gains in points.
 */
export function formatTable(rows: readonly ResultsRow[]): string {
  const { header, cells } = tableCells(rows);
  const lines = [header, ...cells];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const format = (line: readonly string[]): string =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  const rule = '─'.repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  return [format(header), rule, ...cells.map(format)].join('\n');
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

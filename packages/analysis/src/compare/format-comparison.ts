import { OptionError, shown, checkKeys } from '@g2d/core';
import { formatList } from '../format.js';
import { escapeMarkdown, markdownTable } from '../markdown-table.js';
import { foldColumns, oneLine, textTable, wrapped } from '../text-table.js';
import { comparisonCells, type ComparisonColumn } from './cells.js';
import type { Comparison, ComparisonTable } from './comparison.js';
import { comparisonCsv } from './csv.js';

/** For a terminal, a README, or a program. */
export type ComparisonFormat = 'text' | 'markdown' | 'csv';

/**
 * A comparison as text.
 *
 * `text`: aligned columns for a terminal. `markdown`: the same as a table for a README. Both show means ± sample standard
 * deviations over seeds and every note. `csv`: one line per row of every table, with all numbers at full precision (RFC 4180:
 * commas, CR LF, quotes where needed).
 *
 * @param options `width`: of the terminal in characters; a text table that is wider goes on below itself, with the labels again.
 *   Default: no limit. `columns`: further ones, behind those of every comparison; not in CSV.
 * @returns Lines without a trailing line end; CSV ends with one, as its standard has it.
 * @throws {OptionError} If the format is none of the three.
 * @example
 * console.log(formatComparison(compareRuns(runs), 'markdown'));
 */
export function formatComparison(
  comparison: Comparison,
  format: ComparisonFormat,
  options: { readonly width?: number; readonly columns?: readonly ComparisonColumn[] } = {},
): string {
  const { width = Infinity, columns = [] } = checkKeys(
    options,
    { width: true, columns: true },
    'formatComparison',
  );
  switch (format) {
    case 'text':
      return asText(comparison, width, columns);
    case 'markdown':
      return asMarkdown(comparison, columns);
    case 'csv':
      return comparisonCsv(comparison);
    default:
      throw new OptionError(`The format is ${shown(format)}; give "text", "markdown" or "csv".`, {
        option: 'format',
        value: format,
        accepted: '"text", "markdown" or "csv"',
      });
  }
}

/** The heading of a table: the data, and the modalities. */
export function tableTitle({ dataset, modalities }: ComparisonTable): string {
  return `${dataset} · ${formatList(modalities)}`;
}

function asText(
  { tables, notes, level }: Comparison,
  width: number,
  further: readonly ComparisonColumn[],
): string {
  const parts = tables.map((table) => {
    const { header, rows, teachers } = comparisonCells(table, level, { further });
    const parts = foldColumns([header, ...rows, ...teachers], width).map((columns) => {
      const pick = (line: readonly string[]): string[] => columns.map((column) => line[column] ?? '');
      return textTable(pick(header), rows.map(pick), teachers.map(pick));
    });
    const text = [parts.join('\n\n'), ...table.notes.map((note) => `* ${wrapped(oneLine(note), width)}`)];
    return [oneLine(tableTitle(table)), '', ...text].join('\n');
  });
  return [...notes.map(oneLine), ...parts].join('\n\n');
}

function asMarkdown({ tables, notes, level }: Comparison, further: readonly ComparisonColumn[]): string {
  const parts = tables.map((table) => {
    const { header, rows, teachers } = comparisonCells(table, level, { further });
    const escaped = (cells: readonly string[]): string[] => cells.map(escapeMarkdown);
    const lines = markdownTable(escaped(header), [...rows, ...teachers].map(escaped));
    const list = table.notes.map((note) => `- ${escapeMarkdown(note)}`).join('\n');
    return [`**${escapeMarkdown(tableTitle(table))}**`, lines, ...(list === '' ? [] : [list])].join('\n\n');
  });
  return [...notes.map(escapeMarkdown), ...parts].join('\n\n');
}

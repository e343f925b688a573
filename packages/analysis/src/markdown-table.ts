import { oneLine } from './text-table.js';

/** A table in Markdown: the first column to the left, the others to the right. Cells are Markdown already. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = line(header.map((_, column) => (column === 0 ? '---' : '---:')));
  return [line(header), rule, ...rows.map(line)].join('\n');
}

/** Text in which Markdown finds nothing but text. */
export function escapeMarkdown(text: string): string {
  return oneLine(text).replaceAll(/[\\`*_[\]<>|&~]/g, String.raw`\$&`);
}

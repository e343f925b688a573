import { readFileSync, writeFileSync } from 'node:fs';
import { G2DError } from '@g2d/core';

/** Rows as a Markdown table, the first one its header, padded so that prettier has nothing to change. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [header, ...lines] = rows as [readonly string[], ...(readonly string[])[]];
  const widths = header.map((_, column) => Math.max(3, ...rows.map((row) => (row[column] as string).length)));
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  const padded = (row: readonly string[]): string =>
    line(row.map((cell, column) => cell.padEnd(widths[column] as number)));
  return padded(header) + line(widths.map((width) => '-'.repeat(width))) + lines.map(padded).join('');
}

/**
 * Puts text between a file's marks `<!-- NAME -->` and `<!-- end of NAME -->`.
 *
 * @throws {G2DError} With code `G2D_BENCH` if the file has no such marks.
 */
export function writeBetweenMarks(file: string, name: string, text: string): void {
  const content = readFileSync(file, 'utf8');
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- end of ${name} -->`];
  const start = content.indexOf(begin);
  const stop = content.indexOf(end, start);
  if (start < 0 || stop < 0) {
    throw new G2DError('G2D_BENCH', `${file} has no marks ${begin.trim()} and ${end}: nothing was written.`, {
      file,
      name,
    });
  }
  writeFileSync(file, `${content.slice(0, start + begin.length)}\n${text}\n${content.slice(stop)}`);
}

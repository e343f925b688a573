import { printable } from '@g2d/core';

/**
 * A table for a terminal: columns two spaces apart, a rule under the header.
 *
 * @param rows The header and the lines, each with as many cells.
 * @param numeric Which columns are aligned to the right.
 * @returns Lines that each end in `\n`.
 */
export function formatTable(rows: readonly (readonly string[])[], numeric: readonly boolean[]): string {
  const clean = rows.map((row) => row.map((cell) => printable(cell, { line: true })));
  const widths = numeric.map((_, column) => Math.max(...clean.map((row) => row[column]?.length ?? 0)));
  const lines = clean.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] as number;
        return numeric[column] ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
  const rule = '─'.repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  return [lines[0], rule, ...lines.slice(1)].map((line) => `${line}\n`).join('');
}

/** Columns two spaces apart, all but the first aligned to the right, a rule under the header. */
export function table(rows: readonly (readonly string[])[]): string {
  const columns = rows[0] as readonly string[];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell[column === 0 ? 'padEnd' : 'padStart'](widths[column] as number))
      .join('  '),
  );
  const rule = '─'.repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  return [lines[0], rule, ...lines.slice(1)].map((line) => `${line}\n`).join('');
}

/** Numbers stay as precise as they are. */
export type CsvCell = string | number | undefined;

/** Lines as RFC 4180 has them: commas, CR LF at the end of each, quotes where needed. */
export const csvText = (lines: readonly (readonly CsvCell[])[]): string =>
  lines.map((cells) => `${cells.map(quote).join(',')}\r\n`).join('');

function quote(cell: CsvCell): string {
  const text = String(cell ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Rows of a comma-separated text as records keyed by the first line. Quotes, doubled quotes, CRLF and a byte order
 * mark are understood; empty lines are skipped and missing fields are `''`.
 */
export function parseCsv(text: string): Readonly<Record<string, string>>[] {
  const rows: string[][] = [];
  let row: string[] = [];
  // A field and what ends it; the alternatives are tried in order, and every match moves on or is the last.
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/gy;
  const body = text.replace(/^\uFEFF/, '');
  while (field.lastIndex < body.length) {
    const at = field.lastIndex;
    const match = field.exec(body);
    if (match === null) throw new SyntaxError(`invalid CSV at character ${at}`);
    row.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] !== ',') {
      if (row.length > 1 || row[0] !== '') rows.push(row);
      row = [];
    }
  }
  if (row.length > 0) rows.push([...row, '']);
  const [names = [], ...records] = rows;
  return records.map((values) => Object.fromEntries(names.map((name, i) => [name, values[i] ?? ''])));
}

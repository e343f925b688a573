import { decodeText, FileFormatError } from '@g2d/core';
import { parse, CsvError } from 'csv-parse/sync';
import { readSmallFile } from './byte-source.js';
import { refuseGitLfsPointer } from './git-lfs.js';
import { gunzipped } from './gunzip.js';

/** One row of a table as text. */
export interface CsvRow {
  /** The line of the file, from 1, in which the row ends: its only one, unless a quoted field holds a line break. */
  readonly line: number;
  readonly fields: readonly string[];
}

/** A table, and how its fields are separated. */
export interface CsvTable {
  /** Semicolons are what spreadsheets write where a comma stands in numbers. */
  readonly delimiter: ',' | ';' | '\t';
  readonly rows: readonly CsvRow[];
}

/** VGGSound's table has 8 MB. */
const LARGEST = 2 ** 28;
const LONGEST_ROW = 2 ** 20;
/** VGGSound's table has a million. Each takes some fifty bytes of memory, be it empty. */
const MOST_FIELDS = 2 ** 24;

/**
 * A table as text: fields separated by commas, semicolons or tabs, whichever the first line has outside of quotes, or says
 * (`sep=;`). Quotes, doubled quotes, CRLF and a byte order mark are understood; empty lines are skipped. Rows may differ in length:
 * what a row must have is the caller's to check, and `line` is there to name it.
 *
 * @param text The file's content.
 * @param path Its name, for error messages.
 * @throws {FileFormatError} If a quote does not end, or stands within an unquoted field, or if it has more than 16 million fields.
 */
export function parseCsvTable(text: string, path: string): CsvTable {
  const delimiter = delimiterOf(text);
  const rows: CsvRow[] = [];
  let fields = 0;
  try {
    parse(text, {
      bom: true,
      delimiter,
      max_record_size: LONGEST_ROW,
      // All of them, since an edited file may mix them.
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      skip_empty_lines: true,
      // Kept here, without what the library would keep beside each row.
      on_record: (record: string[], { lines }) => {
        fields += record.length + 1;
        if (fields > MOST_FIELDS) {
          throw new FileFormatError(
            path,
            `has more than ${MOST_FIELDS} fields up to line ${lines}. Split the file.`,
          );
        }
        rows.push({ line: lines, fields: record });
        return null;
      },
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new FileFormatError(path, `invalid CSV (${error.message}). Correct that line.`, { cause: error });
  }
  if (/^sep=.$/.test(rows[0]?.fields.join(delimiter) ?? '')) rows.shift();
  return { delimiter, rows };
}

/** By the first line: it has no numbers that could hold a comma, or none that is not in quotes. */
function delimiterOf(text: string): CsvTable['delimiter'] {
  const line = /^\uFEFF?(?:"[^"]*"|[^"\r\n]){0,10000}/.exec(text)?.[0].replaceAll(/"[^"]*"/g, '') ?? '';
  const has = (character: string): boolean => line.includes(character);
  if (has(';') && (!has(',') || /^\uFEFF?sep=;/.test(line))) return ';';
  return has('\t') && !has(',') ? '\t' : ',';
}

/** The rows of `parseCsvTable`. */
export const parseCsvRows = (text: string, path: string): readonly CsvRow[] => parseCsvTable(text, path).rows;

/**
 * Reads a table as text: UTF-8, or UTF-16 with a byte order mark; gzipped or plain, told apart by content.
 *
 * @throws {FileFormatError} As `parseCsvTable`, or if it is no such text, or its packed data are damaged.
 */
export function readCsvTable(path: string): CsvTable {
  const packed = readSmallFile(path, LARGEST);
  refuseGitLfsPointer(packed, path);
  const bytes = gunzipped(packed, path, LARGEST);
  const text = decodeText(bytes, path);
  if (text.includes('\0')) throw new FileFormatError(path, 'is no text: it holds zero bytes. Expected CSV.');
  return parseCsvTable(text, path);
}

/** The rows of `readCsvTable`. */
export const readCsv = (path: string): readonly CsvRow[] => readCsvTable(path).rows;

/**
 * As `parseCsvRows`, as records keyed by the first row; missing fields are `''`.
 *
 * @param path The text's name, for error messages.
 */
export function parseCsv(text: string, path = 'CSV'): Readonly<Record<string, string>>[] {
  const [names, ...rows] = parseCsvRows(text, path);
  return rows.map(({ fields }) =>
    Object.fromEntries((names?.fields ?? []).map((name, i) => [name, fields[i] ?? ''])),
  );
}

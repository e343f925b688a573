import { FileFormatError } from '@g2d/core';
import { parse, CsvError } from 'csv-parse/sync';
import { readSmallFile } from './byte-source.js';
import { refuseGitLfsPointer } from './git-lfs.js';

/** One row of a comma-separated file. */
export interface CsvRow {
  /** The line of the file, from 1, in which the row ends: its only one, unless a quoted field holds a line break. */
  readonly line: number;
  readonly fields: readonly string[];
}

/** VGGSound's table has 8 MB. */
const LARGEST = 2 ** 28;
const LONGEST_ROW = 2 ** 20;

/**
 * Rows of a comma-separated text, the first one included. Quotes, doubled quotes, CRLF and a byte order mark are
 * understood; empty lines are skipped. Rows may differ in length: what a row must have is the caller's to check, and
 * `line` is there to name it.
 *
 * @param text The file's content.
 * @param path Its name, for error messages.
 * @throws {FileFormatError} If a quote does not end, or stands within an unquoted field.
 */
export function parseCsvRows(text: string, path: string): readonly CsvRow[] {
  try {
    const records = parse(text, {
      bom: true,
      info: true,
      max_record_size: LONGEST_ROW,
      // All of them, since an edited file may mix them.
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as readonly { readonly info: { readonly lines: number }; readonly record: string[] }[];
    return records.map(({ info, record }) => ({ line: info.lines, fields: record }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new FileFormatError(path, `invalid CSV (${error.message}). Correct that line.`, { cause: error });
  }
}

/** Reads a comma-separated file of UTF-8 text. @throws {FileFormatError} As `parseCsvRows`, or if it is no such text. */
export function readCsv(path: string): readonly CsvRow[] {
  const bytes = readSmallFile(path, LARGEST);
  refuseGitLfsPointer(bytes, path);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new FileFormatError(path, 'is no UTF-8 text. Save it as CSV with the encoding UTF-8.', {
      cause: error,
    });
  }
  if (text.includes('\0')) throw new FileFormatError(path, 'is no text: it holds zero bytes. Expected CSV.');
  return parseCsvRows(text, path);
}

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

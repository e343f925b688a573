import { FileFormatError, OptionError, shown, checkKeys } from '@g2d/core';
import { readSmallFile } from './byte-source.js';
import { refuseGitLfsPointer } from './git-lfs.js';
import { optionalPackage } from './optional-package.js';
import { readZip } from './read-zip.js';
import { storeZip } from './store-zip.js';

/** What a cell holds; `null` is an empty one. Dates are ISO 8601 text, to the second. */
export type XlsxCell = string | number | boolean | null;

/** One row of a sheet. */
export interface XlsxRow {
  /** As Excel counts, from 1. */
  readonly row: number;
  readonly cells: readonly XlsxCell[];
}

/** Which part of the workbook. */
export interface XlsxOptions {
  /** Name, or number from 1. Default: the first sheet. */
  readonly sheet?: string | number;
}

const LARGEST_FILE = 2 ** 25;
const LARGEST_CONTENT = 2 ** 26;
/** Rows times columns, empty cells included: a sheet is a rectangle in memory. MIS-ME has 3,000 × 13. */
const MOST_CELLS = 4_000_000;

/**
 * Reads one sheet of an Excel workbook (`.xlsx`). Empty rows are left out; formulas give the result that was stored, and
 * none where there is none.
 *
 * @param path The file.
 * @throws {FileFormatError} If it is no workbook, is damaged, lacks the sheet, or would unpack to far more than a table.
 */
export async function readXlsx(path: string, options: XlsxOptions = {}): Promise<readonly XlsxRow[]> {
  const { sheet = 1 } = checkKeys(options, { sheet: true }, 'readXlsx');
  if (typeof sheet === 'number' && !(Number.isInteger(sheet) && sheet >= 1)) {
    throw new OptionError(`\`sheet\` is ${sheet}; sheets have names, and numbers from 1.`, {
      option: 'sheet',
      value: sheet,
      accepted: 'a name, or an integer from 1',
    });
  }
  const archive = readSmallFile(path, LARGEST_FILE);
  refuseGitLfsPointer(archive, path);
  // Only what is text: a workbook may hold pictures.
  const members = readZip(archive, path, {
    totalBytes: LARGEST_CONTENT,
    select: (name) => /^[^\0]{1,200}\.(xml|rels)$/.test(name) && !name.includes('__proto__'),
  });
  for (const content of members.values()) {
    if (content.includes('sheetData')) checkSize(content.toString('utf8'), path);
  }
  const { readSheet, SheetNotFoundError } = await optionalPackage(
    'read-excel-file',
    'Excel workbooks',
    () => import('read-excel-file/node'),
  );
  let rows: readonly (readonly unknown[])[];
  try {
    // The library unpacks without limits and believes other headers than we do, so it gets what was checked.
    rows = await readSheet(storeZip(members), sheet);
  } catch (error) {
    if (error instanceof SheetNotFoundError) {
      throw new FileFormatError(path, `has no sheet ${shown(sheet)} (${error.message}).`, {
        cause: error,
      });
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new FileFormatError(
      path,
      `cannot be read as an Excel workbook (${reason.slice(0, 300)}). Save it again as .xlsx, or as CSV.`,
      { cause: error },
    );
  }
  return rows
    .map((cells, i) => ({ row: i + 1, cells: cells.map(plainCell) }))
    .filter(({ cells }) => cells.some((cell) => cell !== null));
}

function plainCell(cell: unknown): XlsxCell {
  if (cell instanceof Date) {
    // Excel counts days, so 13:00 is stored as 12:59:59.999.
    const time = new Date(Math.round(cell.getTime() / 1000) * 1000);
    return Number.isNaN(time.getTime()) ? null : time.toISOString();
  }
  if (typeof cell === 'string' || typeof cell === 'number' || typeof cell === 'boolean') return cell;
  return null;
}

/**
 * A row or a cell says itself where it lies, and everything before it is filled up: `<c r="XFD1048576">` alone would be
 * 17 thousand million cells.
 */
function checkSize(sheet: string, path: string): void {
  let rows = 1;
  let columns = 1;
  for (const [, quoted, single, bare] of sheet.matchAll(
    /(?<![\w.-])r\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]*))/g,
  )) {
    const place = (quoted ?? single ?? bare) as string;
    const match = /^([A-Z]{0,3})([1-9][0-9]{0,6})$/.exec(place);
    if (match === null) {
      throw new FileFormatError(
        path,
        `has a cell in the place ${shown(place.slice(0, 50))}; expected one such as B7.`,
      );
    }
    const [, letters = '', number] = match;
    rows = Math.max(rows, Number(number));
    columns = Math.max(
      columns,
      [...letters].reduce((sum, letter) => 26 * sum + letter.charCodeAt(0) - 64, 0),
    );
  }
  if (rows * columns > MOST_CELLS) {
    throw new FileFormatError(
      path,
      `has a sheet of ${rows} rows and ${columns} columns; at most ${MOST_CELLS} cells are read. Delete the empty ones.`,
      { limit: MOST_CELLS },
    );
  }
}

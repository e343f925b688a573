import { readCsvTable, readXlsx } from '@g2d/formats/node';
import { FileFormatError, shown } from '@g2d/core';

/** The weather's features, in the order of the authors' code. */
export const FEATURES = [
  'air_temperature',
  'relative_humidity',
  'precipitation',
  'solar_flux_density',
  'wind_speed',
  'barometric_pressure',
  'tilt_north_south',
  'tilt_west_east',
] as const;
const IMAGE = 'image';
const TARGET = 'vwc';

/** One row of a table. */
export interface MisMeRow {
  /** As Excel counts, or the line of the CSV file: the header is 1. */
  readonly row: number;
  /** File name of the picture, without a folder. */
  readonly image: string;
  /** Volumetric water content, a fraction. */
  readonly vwc: number;
  /** `[8]`; NaN is a gap. */
  readonly features: readonly number[];
}

/** What pandas takes for a gap, beside an empty cell. */
const GAPS = new Set(
  '#N/A|#N/A N/A|#NA|-1.#IND|-1.#QNAN|-NaN|-nan|1.#IND|1.#QNAN|<NA>|N/A|NA|NULL|NaN|None|n/a|nan|null'.split(
    '|',
  ),
);
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * Reads a table of MIS-ME: the columns that are needed, wherever they stand, of the first sheet or of a CSV file.
 *
 * Numbers may be stored as text. An empty cell, and what pandas reads as one, is a gap; the target must not have any.
 *
 * @throws {FileFormatError} If a column is missing or comes twice, a cell holds something else than a number, a picture's name
 * is a path, or there is no row. The message names column and row.
 */
export async function readMisMeTable(path: string): Promise<readonly MisMeRow[]> {
  const { lines, hasDecimalCommas } = await linesOf(path);
  const [head, ...rows] = lines;
  const columns = columnsOf(path, head?.cells ?? []);
  if (rows.length === 0) throw new FileFormatError(path, 'has no rows below its header.');
  return rows.map(({ row, cells }) => {
    const number = (column: string): number =>
      numberOf(
        hasDecimalCommas
          ? withPoint(cells[columns.get(column) as number])
          : cells[columns.get(column) as number],
        (problem) => new FileFormatError(path, `${column} in row ${row} ${problem}`, { row, column }),
      );
    const vwc = number(TARGET);
    if (Number.isNaN(vwc)) {
      throw new FileFormatError(
        path,
        `${TARGET} in row ${row} is empty: it is what is predicted, so it cannot be filled in. Delete the row or give the number.`,
        { row, column: TARGET },
      );
    }
    const image = cells[columns.get(IMAGE) as number];
    if (typeof image !== 'string' || !/^[^/\\\0]+$/.test(image) || image === '.' || image === '..') {
      throw new FileFormatError(
        path,
        `${IMAGE} in row ${row} is ${shown(image ?? null)}; expected a file name without a folder, such as OK001_20210306_130000_1.jpg.`,
        { row, column: IMAGE },
      );
    }
    return { row, image, vwc, features: FEATURES.map(number) };
  });
}

async function linesOf(path: string): Promise<{
  readonly lines: readonly { readonly row: number; readonly cells: readonly unknown[] }[];
  readonly hasDecimalCommas: boolean;
}> {
  if (!path.toLowerCase().endsWith('.csv')) return { lines: await readXlsx(path), hasDecimalCommas: false };
  const { delimiter, rows } = readCsvTable(path);
  return {
    lines: rows.map(({ line, fields }) => ({ row: line, cells: fields })),
    hasDecimalCommas: delimiter !== ',',
  };
}

/** 0,25 as spreadsheets write it in most languages; then fields are separated by semicolons or tabs. */
const withPoint = (cell: unknown): unknown =>
  typeof cell === 'string' && /^\s*[+-]?\d*,\d+(e[+-]?\d+)?\s*$/i.test(cell) ? cell.replace(',', '.') : cell;

function columnsOf(path: string, head: readonly unknown[]): ReadonlyMap<string, number> {
  const titles = head.map((title) => (typeof title === 'string' ? title.trim() : ''));
  const needed = [IMAGE, TARGET, ...FEATURES];
  const missing = needed.filter((title) => !titles.includes(title));
  if (missing.length > 0) {
    throw new FileFormatError(
      path,
      `lacks the column ${missing.join(', ')}. Its first row must hold the names; release v1 of the data has no weather, v2 has.`,
      { missing },
    );
  }
  const twice = needed.find((title) => titles.indexOf(title) !== titles.lastIndexOf(title));
  if (twice !== undefined) {
    throw new FileFormatError(path, `has the column ${twice} twice. Delete one, or rename it.`, {
      column: twice,
    });
  }
  return new Map(needed.map((title) => [title, titles.indexOf(title)]));
}

function numberOf(cell: unknown, fail: (problem: string) => FileFormatError): number {
  if (cell === null || cell === undefined) return Number.NaN;
  const text = String(cell).trim();
  if (text === '' || GAPS.has(text)) return Number.NaN;
  const value = typeof cell === 'number' || NUMBER.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(value) && typeof cell !== 'boolean') return value;
  throw fail(`is ${shown(cell)}; expected a number, or an empty cell for a gap.`);
}

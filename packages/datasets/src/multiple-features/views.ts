import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readCsv } from '@g2d/formats/node';
import { FileFormatError, shown } from '@g2d/core';
import { assertChecksum } from '../checksum.js';

/** The six descriptions of each numeral. */
export const VIEWS = ['fou', 'fac', 'kar', 'pix', 'zer', 'mor'] as const;
export type View = (typeof VIEWS)[number];

/** Numbers of each numeral, and what the repository's file hashes to. */
export const FACTS: Readonly<Record<View, { readonly columns: number; readonly sha256: string }>> = {
  fou: { columns: 76, sha256: '323dee5704d657421f77706ad20983c4f85edd922b7bb0e18118e0b7f5d39b46' },
  fac: { columns: 216, sha256: 'cedc92fcbdbb75e4c7576aee9b79ceee791a4f6ad4a30f0f77c3c715367d4445' },
  kar: { columns: 64, sha256: '287c34ee43bea0b56f9d789ece9bb2a16da472679c86a7e73998c8d042c0d20d' },
  pix: { columns: 240, sha256: '012ee8d61c3bb08e4b25474d0b513afb7032cd6395bc4f8ce36b00c8bed1cd70' },
  zer: { columns: 47, sha256: '63a4bc3a6537a540a5ed30ae8b8ce2b00942b0ea8d79a7f93f0bf9f6f8621eea' },
  mor: { columns: 6, sha256: 'fe450f95252b86b6c9ee4b3ab11219b9b58ebadcc0f93e29f4a018b450879bb8' },
};

/** `pix` is a picture, row by row. */
export const PICTURE = { height: 16, width: 15 } as const;

export const CLASSES = 10;
export const ROWS_OF_A_CLASS = 200;
export const ROWS = CLASSES * ROWS_OF_A_CLASS;

export const viewFile = (root: string, view: View): string => join(root, `mfeat-${view}.csv.gz`);

/** Those of the views whose file is not there. */
export const missingFiles = (root: string, views: readonly View[]): readonly string[] =>
  views.map((view) => viewFile(root, view)).filter((path) => !existsSync(path));

/**
 * Reads one view: a line of column numbers, then a line for each numeral, its class last; the classes one after the other.
 *
 * @returns `[2000, columns]`, flat.
 * @throws {FileFormatError} If rows, columns, classes or numbers are not as they should be, or the file is another than the
 * repository's. The message names line and column.
 */
export function readView(root: string, view: View): Float64Array {
  const path = viewFile(root, view);
  const { columns, sha256 } = FACTS[view];
  const [head, ...rows] = readCsv(path);
  const width = columns + 1;
  const wide = [...(head ? [head] : []), ...rows].find(({ fields }) => fields.length !== width);
  if (wide) {
    throw new FileFormatError(
      path,
      `line ${wide.line} has ${wide.fields.length} columns; expected ${width}: ${columns} numbers of ${view} and the class.`,
      { line: wide.line, columns: wide.fields.length },
    );
  }
  if (rows.length !== ROWS) {
    throw new FileFormatError(
      path,
      `has ${rows.length} rows below its header; expected ${ROWS}, ${ROWS_OF_A_CLASS} for each of ${CLASSES} classes.`,
      { rows: rows.length },
    );
  }
  const values = new Float64Array(ROWS * columns);
  rows.forEach(({ line, fields }, row) => {
    const number = (column: number): number => {
      const text = fields[column] as string;
      const value = /^\s*$/.test(text) ? Number.NaN : Number(text);
      if (Number.isFinite(value)) return value;
      throw new FileFormatError(
        path,
        `column ${column + 1} of line ${line} is ${shown(text)}; expected a number.`,
        { line, column: column + 1 },
      );
    };
    for (let column = 0; column < columns; column++) values[row * columns + column] = number(column);
    const expected = Math.floor(row / ROWS_OF_A_CLASS);
    if (number(columns) === expected) return;
    throw new FileFormatError(
      path,
      `line ${line} is of class ${number(columns)}; expected class ${expected}: the rows of a class stand together, in the same order in all six files.`,
      { line },
    );
  });
  assertChecksum(path, sha256);
  return values;
}

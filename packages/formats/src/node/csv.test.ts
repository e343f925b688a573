import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { FileFormatError } from '@g2d/core';
import { afterAll, describe, expect, it } from 'vitest';
import { parseCsv, parseCsvRows, parseCsvTable, readCsv } from './csv.js';

const folder = mkdtempSync(join(tmpdir(), 'g2d-csv-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('parseCsvRows', () => {
  it('understands quotes, a byte order mark, mixed line ends and a missing last one, and counts lines', () => {
    const text = '\uFEFFid,7,"a, b"\r\n\r\n\n"say ""hi""",x\r\n"two\nlines",y\n,';
    expect(parseCsvRows(text, 'a.csv')).toEqual([
      { line: 1, fields: ['id', '7', 'a, b'] },
      { line: 4, fields: ['say "hi"', 'x'] },
      { line: 6, fields: ['two\nlines', 'y'] },
      { line: 7, fields: ['', ''] },
    ]);
  });

  it.each([
    ['commas', 'a,b\n"1,5",2\n', ','],
    ['semicolons', '\uFEFFa;b\r\n1,5;2\r\n', ';'],
    ['semicolons and commas in quotes', '"a, b";c\n', ';'],
    ['tabs', 'a\tb\n1,5\t2\n', '\t'],
    ['commas and a semicolon in quotes', '"a;b",c\n', ','],
    ['commas and semicolons', 'a;x,b\n', ','],
    ['one column', 'a\n1\n', ','],
    ['what Excel writes first', 'sep=;\na;b\n1,5;2\n', ';'],
    ['a line break in quotes', '"a\nb";c\n', ';'],
  ])('finds out what separates fields: %s', (_, text, delimiter) => {
    expect(parseCsvTable(text, 'a.csv').delimiter).toBe(delimiter);
  });

  it('separates by semicolons and tabs', () => {
    const rows = [
      { line: 1, fields: ['a', 'b'] },
      { line: 2, fields: ['1,5', 'x;y'] },
    ];
    expect(parseCsvRows('a;b\n1,5;"x;y"', 'a.csv')).toEqual(rows);
    expect(parseCsvRows('a\tb\n1,5\tx;y', 'a.csv')).toEqual(rows);
    expect(parseCsvRows('sep=;\na;b\n', 'a.csv')).toEqual([{ line: 2, fields: ['a', 'b'] }]);
  });

  it('refuses more fields than fit into memory', () => {
    expect(() => parseCsvRows(`${','.repeat(1e6)}\n`.repeat(17), 'a.csv')).toThrow(
      /a\.csv: has more than 16777216 fields up to line 17/,
    );
  });

  it('keeps blanks, and rows of any length', () => {
    expect(parseCsvRows(' a , b\n \n1\n', 'a.csv').map(({ fields }) => fields)).toEqual([
      [' a ', ' b'],
      [' '],
      ['1'],
    ]);
    expect(parseCsvRows('', 'a.csv')).toEqual([]);
  });

  it.each([
    ['a quote that does not end', 'a\n"b', /a\.csv: invalid CSV \(.* line 2/],
    ['a quote within a field', 'a\nb"c"\n', /a\.csv: invalid CSV \(.* line 2/],
    ['text behind a quote', '"a"b\n', /a\.csv: invalid CSV/],
    ['a field without an end', `"${'x'.repeat(2 ** 20 + 1)}`, /a\.csv: invalid CSV/],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseCsvRows(text, 'a.csv')).toThrow(message);
    expect(() => parseCsvRows(text, 'a.csv')).toThrow(FileFormatError);
  });
});

describe('parseCsv', () => {
  it('reads records keyed by the first line', () => {
    expect(parseCsv('a,b\n1,2\n3\n')).toEqual([
      { a: '1', b: '2' },
      { a: '3', b: '' },
    ]);
    expect(parseCsv('')).toEqual([]);
  });
});

describe('readCsv', () => {
  const file = (content: string | Buffer): string => {
    const path = join(folder, 'table.csv');
    writeFileSync(path, content);
    return path;
  };

  it('reads a file', () => {
    expect(readCsv(file('\uFEFFé,1\r\n'))).toEqual([{ line: 1, fields: ['é', '1'] }]);
    const windows = Buffer.from('\uFEFFé;1\r\n', 'utf16le');
    expect(readCsv(file(windows))).toEqual([{ line: 1, fields: ['é', '1'] }]);
    expect(readCsv(file(windows.swap16()))).toEqual([{ line: 1, fields: ['é', '1'] }]);
    expect(readCsv(file(gzipSync('é,1\r\n')))).toEqual([{ line: 1, fields: ['é', '1'] }]);
  });

  it.each([
    ['another encoding', Buffer.from('caf\xe9,1\n', 'latin1'), /table\.csv: is no UTF-8 text/],
    ['cut gzip data', gzipSync('é,1\r\n').subarray(0, 20), /table\.csv: damaged gzip data/],
    ['zero bytes', Buffer.from([0x50, 0x4b, 3, 4, 0, 0]), /table\.csv: is no text/],
    [
      'a Git LFS pointer',
      Buffer.from('version https://git-lfs.github.com/spec/v1\n'),
      /table\.csv: is a Git LFS pointer/,
    ],
  ])('refuses %s', (_, content, message) => {
    expect(() => readCsv(file(content))).toThrow(message);
  });
});

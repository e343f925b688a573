import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { FileFormatError, OptionError } from '@g2d/core';
import { afterAll, describe, expect, it } from 'vitest';
import { crc32 } from '../zip/crc32.js';
import { readCsv } from './csv.js';
import { storeZip } from './store-zip.js';
import { readXlsx, type XlsxCell } from './xlsx.js';
import { readZip } from './read-zip.js';

// Written by openpyxl in the layout of MIS-ME; test/fixtures/io/misme/NOTICE.txt says what the data are.
const fixtures = fileURLToPath(new URL('../../../../test/fixtures/io/misme', import.meta.url));
const tables = join(fixtures, 'classification');
const train = join(tables, 'combined_only_train_set.xlsx');
const folder = mkdtempSync(join(tmpdir(), 'g2d-xlsx-'));
afterAll(() => rmSync(folder, { recursive: true }));

const written = (content: Uint8Array): string => {
  const path = join(folder, 'table.xlsx');
  writeFileSync(path, content);
  return path;
};

/** The training table with the first sheet's XML changed. */
async function withSheet(change: (xml: string) => string): Promise<string> {
  const members = new Map(readZip(readFileSync(train), train));
  const name = 'xl/worksheets/sheet1.xml';
  members.set(name, Buffer.from(change(String(members.get(name)))));
  return written(storeZip(members));
}

const sheetOf = (rows: string): ((xml: string) => string) => {
  return (xml) => xml.replace(/<sheetData>.*<\/sheetData>/s, `<sheetData>${rows}</sheetData>`);
};

describe('readXlsx', () => {
  const names = readdirSync(tables)
    .filter((name) => name.endsWith('.xlsx'))
    .map((name) => name.slice(0, -'.xlsx'.length));

  it.each(names)('reads %s.xlsx as its CSV twin', async (name) => {
    const [head, ...rows] = await readXlsx(join(tables, `${name}.xlsx`));
    const [columns, ...records] = readCsv(join(tables, `${name}.csv`));
    expect(records.length).toBeGreaterThan(0);
    expect(rows.map(({ row }) => row)).toEqual(records.map((_, i) => i + 2));
    for (const [column, title] of (columns?.fields ?? []).entries()) {
      const at = head?.cells.indexOf(title) ?? -1;
      expect(at).toBeGreaterThanOrEqual(0);
      const plain = (cell: XlsxCell | undefined): unknown => {
        if (title === 'timestamp')
          return String(cell)
            .replace(/[-:]|\.000Z/g, '')
            .replace('T', ' ');
        return title === 'image' || title === 'station' ? cell : cell === null ? '' : Number(cell);
      };
      expect(rows.map(({ cells }) => plain(cells[at]))).toEqual(
        records.map(({ fields }) => {
          const text = fields[column] as string;
          return ['image', 'station', 'timestamp'].includes(title) || text === '' ? text : Number(text);
        }),
      );
    }
  });

  it('has twins to compare', () => expect(names).toHaveLength(6));

  it('chooses the sheet by name or number', async () => {
    const note = [{ row: 1, cells: ['second sheet, to be ignored'] }];
    expect(await readXlsx(train, { sheet: 'notes' })).toEqual(note);
    expect(await readXlsx(train, { sheet: 2 })).toEqual(note);
    await expect(readXlsx(train, { sheet: 3 })).rejects.toThrow(/has no sheet 3 .*Sheet count: 2/);
    await expect(readXlsx(train, { sheet: 'labels' })).rejects.toThrow(
      /has no sheet "labels" .*Sheet1, notes/,
    );
    await expect(readXlsx(train, { sheet: 0 })).rejects.toThrow(OptionError);
  });

  it('keeps row numbers and leaves out empty rows', async () => {
    const path = await withSheet(
      sheetOf('<row r="2"><c r="B2"><v>1</v></c></row><row r="5"><c r="A5" t="b"><v>1</v></c></row>'),
    );
    expect(await readXlsx(path)).toEqual([
      { row: 2, cells: [null, 1] },
      { row: 5, cells: [true, null] },
    ]);
  });

  it.each([
    ['formula_cell.xlsx', 3, 'wind_speed', null],
    ['nan_text.xlsx', 3, 'wind_speed', 'NaN'],
    ['text_cell.xlsx', 3, 'wind_speed', 'calm'],
    ['empty_target.xlsx', 4, 'vwc', null],
    ['target_zero.xlsx', 3, 'vwc', 0],
  ])('reads %s: row %i, %s is %j', async (file, row, column, value) => {
    const rows = await readXlsx(join(fixtures, 'broken_files', file));
    const at = rows[0]?.cells.indexOf(column) ?? -1;
    expect(rows.find((entry) => entry.row === row)?.cells[at]).toBe(value);
  });

  it.each([
    ['a truncated file', () => readFileSync(train).subarray(0, 3000)],
    ['a CSV file', () => Buffer.from('image,vwc\na.jpg,0.2\n')],
    ['an empty file', () => Buffer.alloc(0)],
    ['an archive of something else', () => storeZip(new Map([['a.xml', Buffer.from('<a/>')]]))],
  ])('refuses %s', async (_, content) => {
    const path = written(content());
    await expect(readXlsx(path)).rejects.toThrow(FileFormatError);
    await expect(readXlsx(path)).rejects.toThrow(/table\.xlsx: cannot be read as/);
  });

  it('says that a Git LFS pointer is one', async () => {
    const path = written(Buffer.from('version https://git-lfs.github.com/spec/v1\n'));
    await expect(readXlsx(path)).rejects.toThrow(/table\.xlsx: is a Git LFS pointer/);
  });

  it.each([
    [
      'a cell in the last corner',
      '<row r="1"><c r="XFD1048576"><v>1</v></c></row>',
      /1048576 rows and 16384 columns/,
    ],
    ['a row far down', '<row r="9999999"><c r="A9999999"><v>1</v></c></row>', /9999999 rows/],
    ['a row too far down to name', '<row r="99999999999"/>', /place "99999999999"/],
    ['a place behind an entity', '<row r="&#57;99999999"/>', /place "&#57;99999999"/],
    ['a place with a prefix', "<row x:r='99999999'/>", /place "99999999"/],
    ['columns beyond the alphabet', '<row r="1"><c r="ZZZZ1"><v>1</v></c></row>', /place "ZZZZ1"/],
    [
      'rows out of order',
      '<row r="2"><c r="A2"><v>1</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>',
      /cannot be read as an Excel workbook/,
    ],
    [
      'a text that is not in the table',
      '<row r="1"><c r="A1" t="s"><v>5</v></c></row>',
      /cannot be read as an Excel workbook/,
    ],
  ])('refuses %s', async (_, rows, message) => {
    const path = await withSheet(sheetOf(rows));
    await expect(readXlsx(path)).rejects.toThrow(message);
    await expect(readXlsx(path)).rejects.toThrow(FileFormatError);
  });

  it('refuses an archive that unpacks to far more than a table', async () => {
    const members = new Map(readZip(readFileSync(train), train));
    members.set('xl/styles.xml', Buffer.alloc(2 ** 26, ' '));
    await expect(readXlsx(written(deflated(members)))).rejects.toThrow(/unpacks to more than 67108864 bytes/);
  });
});

/** A zip archive of compressed members: the stored one with sizes and contents exchanged. */
function deflated(members: ReadonlyMap<string, Uint8Array>): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of members) {
    const packed = deflateRawSync(content);
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0);
    facts.writeUInt16LE(8, 4);
    facts.writeUInt32LE(crc32(content), 10);
    facts.writeUInt32LE(packed.length, 14);
    facts.writeUInt32LE(content.length, 18);
    facts.writeUInt16LE(name.length, 22);
    local.push(Buffer.from('PK\x03\x04', 'latin1'), facts, Buffer.from(name), packed);
    const where = Buffer.alloc(14);
    where.writeUInt32LE(offset, 10);
    central.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), facts, where, Buffer.from(name));
    offset += 30 + name.length + packed.length;
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(members.size, 4);
  end.writeUInt16LE(members.size, 6);
  end.writeUInt32LE(Buffer.concat(central).length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...local, ...central, Buffer.from('PK\x05\x06', 'latin1'), end]);
}

describe('storeZip', () => {
  it('writes what readZip reads', async () => {
    const members = new Map([
      ['a/b.xml', Buffer.from('<a/>')],
      ['empty', Buffer.alloc(0)],
    ]);
    expect(readZip(storeZip(members), 'a.zip')).toEqual(members);
  });
});

import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FileFormatError, G2DError, OptionError } from '@g2d/core';
import { afterAll, describe, expect, it } from 'vitest';
import { openNpy, readNpyText, writeNpy } from './npy.js';
import { readNpz } from './npz.js';
import { storeZip } from './store-zip.js';

const folder = mkdtempSync(join(tmpdir(), 'g2d-npy-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file of these header words and data bytes. */
function npy(header: string, data: readonly number[] | Uint8Array, version = 1): string {
  const text = Buffer.from(`${header}\n`);
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(text.length);
  else length.writeUInt32LE(text.length);
  const path = join(folder, 'array.npy');
  writeFileSync(path, Buffer.concat([start, length, text, Buffer.from(data)]));
  return path;
}

const header = (descr: string, shape: string, fortran = 'False'): string =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;

function read(path: string): number[] {
  const file = openNpy(path);
  try {
    return Array.from(file.all());
  } finally {
    file.close();
  }
}

const ONES = Array.from({ length: 7 }, () => 0xff);
const ZEROS = Array.from({ length: 7 }, () => 0);

describe('openNpy', () => {
  it.each([
    ['|b1', [1, 0], [1, 0]],
    ['|i1', [0xff, 2], [-1, 2]],
    ['<i2', [0xff, 0xff, 2, 1], [-1, 258]],
    ['>i2', [0xff, 0xfe, 1, 2], [-2, 258]],
    ['<u2', [0xff, 0xff, 2, 1], [65535, 258]],
    ['>u4', [0, 0, 1, 0, 0xff, 0xff, 0xff, 0xff], [256, 4294967295]],
    ['<i8', [0xfe, ...ONES, 3, 0, 0, 0, 0, 0, 0, 0], [-2, 3]],
    ['>u8', [0, 0, 0, 1, 0, 0, 0, 0, ...ZEROS, 9], [2 ** 32, 9]],
    ['<f2', [0, 0x3c, 1, 0, 0, 0xfc, 0xff, 0x7b], [1, 2 ** -24, -Infinity, 65504]],
    ['>f2', [0xc1, 0], [-2.5]],
    ['<f4', [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0], [1, -2]],
    ['>f8', [0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0], [1.5, -2]],
  ])('reads %s', (descr, bytes, expected) => {
    expect(read(npy(header(descr, `(${expected.length},)`), bytes))).toEqual(expected);
  });

  it.each([
    ['<i8', [1, 0, 0, 0, 0, 0, 0x20, 0], '9007199254740993'],
    ['>i8', [0x80, ...ZEROS], '-9223372036854775808'],
    ['<u8', [...ONES, 0xff], '18446744073709551615'],
  ])('refuses an integer (%s) that no double holds', (descr, bytes, value) => {
    expect(() => read(npy(header(descr, '(1,)'), bytes))).toThrow(
      `array.npy: element 0 is the integer ${value}; beyond ±2^53`,
    );
  });

  it('gives rows in C order from a file in Fortran order', () => {
    // a[i, j, k] = 100 i + 10 j + k for shape (2, 3, 2); Fortran order has i fastest
    const data = [0, 100, 10, 110, 20, 120, 1, 101, 11, 111, 21, 121];
    const file = openNpy(npy(header('|u1', '(2, 3, 2)', 'True'), data));
    expect(Array.from(file.row(1))).toEqual([100, 101, 110, 111, 120, 121]);
    expect(Array.from(file.row(0))).toEqual([0, 1, 10, 11, 20, 21]);
    file.close();
  });

  it('gathers a Fortran-order file larger than a block', () => {
    const [rows, columns] = [40_000, 500];
    const data = new Uint8Array(rows * columns);
    for (let j = 0; j < columns; j++) for (let i = 0; i < rows; i++) data[i + rows * j] = (7 * i + j) % 251;
    const file = openNpy(npy(header('|u1', `(${rows}, ${columns})`, 'True'), data));
    for (const i of [39_999, 0, 33_554, 33_553]) {
      const row = file.row(i);
      expect([row[0], row[100], row[columns - 1]]).toEqual(
        [0, 100, columns - 1].map((j) => (7 * i + j) % 251),
      );
    }
    file.close();
  });

  it.each([
    ['version 2', header('|u1', '(2,)'), 2],
    ['version 3', header('|u1', '(2,)'), 3],
    ['double quotes, another order, no last comma', '{"shape":(2,),"fortran_order":False,"descr":"|u1"}', 1],
    ['sizes as Python 2 wrote them', header('|u1', '(2L,)'), 1],
    ['padding', `${header('|u1', '(2,)')}      `, 1],
  ])('reads a header with %s', (_, text, version) => {
    expect(read(npy(text, [5, 6], version))).toEqual([5, 6]);
  });

  it.each([
    ['a call', "{'descr': '|u1', 'fortran_order': False, 'shape': (__import__('os').getpid(),)}"],
    ['an unknown key', "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), 'x': 1}"],
    ['a key twice', "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (2,)}"],
    ['a missing key', "{'descr': '|u1', 'shape': (2,)}"],
    ['something after it', `${header('|u1', '(2,)')} + {}`],
    ['a negative size', header('|u1', '(-2,)')],
    ['a list for a tuple', header('|u1', '[2]')],
    ['no commas', header('|u1', '(2 3)')],
  ])('refuses a header with %s', (_, text) => {
    expect(() => openNpy(npy(text, [1, 2, 3, 4]))).toThrow(/array\.npy: invalid npy header: expected/);
  });

  it.each([
    ['|O', /dtype object/],
    ['|O8', /dtype object/],
    ['|S19', /elements of type 'S19', which is text/],
    ['<U4', /elements of type 'U4', which is text/],
    ['|S0', /elements of type '\|S0'/],
    ['<f16', /elements of type '<f16'/],
    ['<M8[s]', /elements of type '<M8\[s\]'/],
    ['<c8', /elements of type '<c8'/],
    ['toString', /elements of type 'toString'/],
  ])('refuses elements of type %s', (descr, message) => {
    expect(() => openNpy(npy(header(descr, '(1,)'), new Uint8Array(64)))).toThrow(message);
  });

  it('refuses more axes than numpy has', () => {
    expect(() => openNpy(npy(header('|u1', `(${'1, '.repeat(65)})`), [1]))).toThrow(/at most 64 axes/);
  });

  it('reads rows one after the other', () => {
    const data = [0, 100, 1, 101, 2, 102, 3, 103];
    const rowMajor = openNpy(npy(header('|u1', '(4, 2)'), data));
    expect(Array.from(rowMajor.rows(1, 2))).toEqual([1, 101, 2, 102]);
    expect(rowMajor.rows(4, 0)).toHaveLength(0);
    expect(() => rowMajor.rows(3, 2)).toThrow(/rows 0 to 3; there is no rows 3 to 4/);
    expect(() => rowMajor.rows(1, -1)).toThrow(OptionError);
    rowMajor.close();
    const columnMajor = openNpy(npy(header('|u1', '(4, 2)', 'True'), [0, 1, 2, 3, 100, 101, 102, 103]));
    expect(Array.from(columnMajor.rows(1, 2))).toEqual([1, 101, 2, 102]);
    columnMajor.close();
  });

  it('reads single rows of a file of four gigabytes, and never all of it', () => {
    const path = npy(header('<f8', '(65536, 8192)'), []);
    truncateSync(path, statSync(path).size + 65536 * 8192 * 8);
    const before = process.memoryUsage().arrayBuffers;
    const file = openNpy(path);
    expect(file.row(65535)).toEqual(new Float64Array(8192));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
    expect(() => file.all()).toThrow(/at most 1073741824 are read at once/);
    file.close();
  });

  it.each(['(0, 99999999999)', '(99999999999, 0)', '(0,)'])('reads an empty array of shape %s', (shape) => {
    for (const fortran of ['False', 'True']) expect(read(npy(header('<f8', shape, fortran), []))).toEqual([]);
  });

  it('reads a single number', () => {
    expect(read(npy(header('|u1', '()'), [7]))).toEqual([7]);
  });

  it('says that a Git LFS pointer is one', () => {
    const path = join(folder, 'pointer.npy');
    writeFileSync(path, 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n');
    expect(() => openNpy(path)).toThrow(/pointer\.npy: is a Git LFS pointer/);
  });

  it('refuses structured arrays', () => {
    const text = "{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,)}";
    expect(() => openNpy(npy(text, [0, 0, 0, 0]))).toThrow(/structured npy array/);
  });

  it.each([
    ['short data', npyBytes('(3,)', 2)],
    ['a shape beyond any memory', npyBytes('(99999999999, 99999999999)', 8)],
    ['a shape beyond any number', npyBytes(`(1${'0'.repeat(400)},)`, 8)],
  ])('calls a file with %s truncated', (_, bytes) => {
    const path = join(folder, 'short.npy');
    writeFileSync(path, bytes);
    expect(() => openNpy(path)).toThrow(/short\.npy: truncated npy file/);
  });

  it('calls a file that ends in its header truncated', () => {
    const path = join(folder, 'short.npy');
    for (const length of [7, 11, 20]) {
      writeFileSync(path, npyBytes('(2,)', 2).subarray(0, length));
      expect(() => openNpy(path)).toThrow(/short\.npy: truncated npy file/);
    }
  });

  it('refuses another file and an unknown version', () => {
    const path = join(folder, 'other.npy');
    writeFileSync(path, '<html>404</html>');
    expect(() => openNpy(path)).toThrow(/other\.npy: not an npy file/);
    writeFileSync(path, '');
    expect(() => openNpy(path)).toThrow(/not an npy file/);
    expect(() => openNpy(npy(header('|u1', '(2,)'), [1, 2], 4))).toThrow(/version 4/);
  });

  it('refuses rows that do not exist and reading after close', () => {
    const file = openNpy(npy(header('|u1', '(2, 1)'), [1, 2]));
    expect(() => file.row(2)).toThrow(/rows 0 to 1/);
    expect(() => file.row(-1)).toThrow(/rows 0 to 1/);
    file.close();
    file.close();
    expect(() => file.row(0)).toThrow(/closed/);
  });
});

// The same arrays in other dialects, written by numpy; test/fixtures/avmnist/NOTICE.txt names the data's licences.
const avMnist = fileURLToPath(new URL('../../../../test/fixtures/avmnist', import.meta.url));
const variants = (
  JSON.parse(readFileSync(join(avMnist, 'expected.json'), 'utf8')) as {
    readonly variants: readonly { readonly file: string; readonly replaces: string }[];
  }
).variants;

describe('openNpy on files of numpy', () => {
  it.each(variants)('reads $file as $replaces', ({ file, replaces }) => {
    const variant = openNpy(join(avMnist, file));
    const plain = openNpy(join(avMnist, replaces));
    expect(variant.shape).toEqual(plain.shape);
    const wanted = Array.from(plain.all());
    const single = variant.dtype === 'f4' ? wanted.map(Math.fround) : wanted;
    expect(Array.from(variant.all())).toEqual(single);
    for (const row of [9, 0, 4]) {
      expect(Array.from(variant.row(row))).toEqual(
        single.slice(row * plain.rowLength, (row + 1) * plain.rowLength),
      );
    }
    variant.close();
    plain.close();
  });

  it('knows every variant', () => {
    const there = readdirSync(join(avMnist, 'variants')).map((name) => `variants/${name}`);
    expect(variants.map(({ file }) => file).sort()).toEqual(there.sort());
  });

  it.each([
    ['bad_magic.npy', /not an npy file/],
    ['header_with_code.npy', /header/],
    ['labels_object.npy', /object/],
    ['version9.npy', /version 9/],
  ])('refuses %s', (file, message) => {
    const path = join(avMnist, 'broken_files', file);
    expect(() => openNpy(path)).toThrow(FileFormatError);
    expect(() => openNpy(path)).toThrow(message);
    expect(() => openNpy(path)).toThrow(path);
  });
});

describe('readNpyText', () => {
  const iemocap = fileURLToPath(new URL('../../../../test/fixtures/io/iemocap', import.meta.url));

  it('reads byte strings', () => {
    expect(readNpyText(join(iemocap, 'mmin/target/1/trn_int2name.npy'))).toEqual({
      shape: [4, 1],
      values: ['Ses01F_impro01_F000', 'Ses01F_impro01_M001', 'Ses01M_script01_1_F003', 'Ses02F_impro05_M010'],
    });
  });

  it.each(['unicode', 'flat'])('reads the same names stored %s', (variant) => {
    const { values } = readNpyText(join(iemocap, `broken_files/int2name_${variant}.npy`));
    expect(values).toEqual(readNpyText(join(iemocap, 'mmin/target/1/trn_int2name.npy')).values);
  });

  it.each([
    ['|S3', [0x61, 0, 0, 0xc3, 0xa9, 0], ['a', 'é']],
    ['<U2', [0x61, 0, 0, 0, 0, 0, 0, 0, 0, 0xf6, 1, 0, 0x62, 0, 0, 0], ['a', '😀b']],
    ['>U1', [0, 0, 0, 0x61, 0, 0, 0, 0], ['a', '']],
  ])('reads %s', (descr, bytes, values) => {
    expect(readNpyText(npy(header(descr, '(2,)'), bytes)).values).toEqual(values);
  });

  it.each(['(0, 99999999999)', '(99999999999, 0, 2)'])('reads no texts of shape %s', (shape) => {
    expect(readNpyText(npy(header('|S1', shape, 'True'), [])).values).toEqual([]);
  });

  it('brings Fortran order into C order', () => {
    const bytes = [...Buffer.from('adbecf')];
    expect(readNpyText(npy(header('|S1', '(2, 3)', 'True'), bytes)).values.join('')).toBe('abcdef');
  });

  it.each([
    ['numbers', '|u1', [1], /expected texts/],
    ['no UTF-8', '|S1', [0xff], /text 0 is no UTF-8/],
    ['no character', '<U1', [0, 0, 0x11, 0], /character 1114112/],
    ['objects', '|O', [1], /dtype object/],
  ])('refuses %s', (_, descr, bytes, message) => {
    expect(() => readNpyText(npy(header(descr, '(1,)'), bytes))).toThrow(message);
  });
});

describe('readNpz', () => {
  // Written by numpy: test/fixtures/io/numpy/make.py
  it.each(['stored', 'compressed'])('reads %s arrays of numpy', (name) => {
    const path = fileURLToPath(new URL(`../../../../test/fixtures/io/numpy/${name}.npz`, import.meta.url));
    const arrays = [...readNpz(path)].map(([key, { dtype, shape, all }]) => [
      key,
      dtype,
      shape,
      Array.from(all()),
    ]);
    expect(arrays).toEqual([
      ['x', 'i2', [2, 2], [0, 1, 2, 3]],
      ['y', 'f8', [3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1]],
      ['z', 'f4', [], [0.5]],
    ]);
  });

  const archive = (members: Readonly<Record<string, Buffer>>): string => {
    const path = join(folder, 'arrays.npz');
    writeFileSync(path, storeZip(new Map(Object.entries(members))));
    return path;
  };

  it('reads the arrays by name', () => {
    const path = archive({
      'x.npy': readFileSync(npy(header('<i2', '(2, 1)'), [1, 0, 2, 0])),
      'y.npy': readFileSync(npy(header('>f4', '()'), [0x3f, 0x80, 0, 0])),
    });
    const arrays = readNpz(path);
    expect([...arrays.keys()]).toEqual(['x', 'y']);
    expect(arrays.get('x')?.shape).toEqual([2, 1]);
    expect(Array.from(arrays.get('x')?.row(1) ?? [])).toEqual([2]);
    expect(Array.from(arrays.get('y')?.all() ?? [])).toEqual([1]);
    const one = readNpz(path, { select: (name) => name === 'y.npy' });
    expect([...one.keys()]).toEqual(['y']);
  });

  it('reads the arrays beside one that cannot be read, which says so when it is used', () => {
    const objects = readFileSync(npy(header('|O', '(1,)'), [1]));
    const path = archive({ 'x.npy': npyBytes('(2,)', 2), 'o.npy': objects, 'y.txt': Buffer.from('y') });
    const arrays = readNpz(path);
    expect([...arrays.keys()]).toEqual(['x', 'o', 'y.txt']);
    expect([...(arrays.get('x')?.all() ?? [])]).toEqual([0, 0]);
    expect(() => arrays.get('o')?.shape).toThrow(/arrays\.npz\/o\.npy: an npy array of Python objects/);
    expect(() => arrays.get('o')?.all()).toThrow(FileFormatError);
    expect(() => arrays.get('y.txt')?.dtype).toThrow(/arrays\.npz\/y\.txt: not an npy file/);
  });

  it('refuses other archives', () => {
    expect(() => readNpz(npy(header('|u1', '(1,)'), [1]))).toThrow(/cannot be read as a zip archive/);
    const large = archive({ 'x.npy': Buffer.alloc(1000) });
    expect(() => readNpz(large, { totalBytes: 999 })).toThrow(/more than 999 bytes/);
  });
});

/** The bytes of a uint8 file whose header promises `shape`. */
function npyBytes(shape: string, dataBytes: number): Buffer {
  const text = Buffer.from(`${header('|u1', shape)}\n`);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(text.length);
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  return Buffer.concat([start, length, text, Buffer.alloc(dataBytes)]);
}

describe('writeNpy', () => {
  it.each([
    [Uint8Array.of(1, 255, 3, 4, 5, 6), 'u1'],
    [Int32Array.of(1, -2, 3, 4, 5, 6), 'i4'],
    [Float32Array.of(1, 0.5, 3, 4, 5, 6), 'f4'],
    [Float64Array.of(1, 0.1, 3, 4, 5, 6), 'f8'],
  ])('writes what openNpy reads back', (values, dtype) => {
    const path = join(folder, 'new/written.npy');
    writeNpy(path, values, [3, 2]);
    const file = openNpy(path);
    expect(file.shape).toEqual([3, 2]);
    expect(file.dtype).toBe(dtype);
    expect(file.all()).toEqual(values);
    expect(Array.from(file.row(2))).toEqual([5, 6]);
    file.close();
  });

  it('refuses a shape of another size', () => {
    let error: unknown;
    try {
      writeNpy(join(folder, 'x.npy'), Uint8Array.of(1, 2), [3]);
    } catch (thrown) {
      error = thrown;
    }
    expect(G2DError.isInstance(error) && error.code).toBe('G2D_OPTION');
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { G2DError } from '@g2d/tensor-ops';
import { afterAll, describe, expect, it } from 'vitest';
import { openNpy, writeNpy } from './npy.js';

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
    ['<f4', [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0], [1, -2]],
    ['>f8', [0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0], [1.5, -2]],
  ])('reads %s', (descr, bytes, expected) => {
    expect(read(npy(header(descr, '(2,)'), bytes))).toEqual(expected);
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
    ['|S19', /elements of type '\|S19'/],
    ['<U4', /elements of type '<U4'/],
    ['<f2', /elements of type '<f2'/],
    ['<c8', /elements of type '<c8'/],
    ['toString', /elements of type 'toString'/],
  ])('refuses elements of type %s', (descr, message) => {
    expect(() => openNpy(npy(header(descr, '(1,)'), new Uint8Array(64)))).toThrow(message);
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
    writeFileSync(path, 'version https://git-lfs.github.com/spec/v1');
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

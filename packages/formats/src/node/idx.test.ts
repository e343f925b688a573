import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { readIdx } from './idx.js';

const folder = mkdtempSync(join(tmpdir(), 'g2d-idx-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(bytes: readonly number[] | Uint8Array): string {
  const path = join(folder, 'digits');
  writeFileSync(path, Uint8Array.from(bytes));
  return path;
}

const TWO_BY_THREE = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255];

describe('readIdx', () => {
  it('reads plain and gzipped files', () => {
    for (const bytes of [TWO_BY_THREE, gzipSync(Uint8Array.from(TWO_BY_THREE))]) {
      const { shape, data } = readIdx(file(bytes));
      expect(shape).toEqual([2, 3]);
      expect(Array.from(data)).toEqual([1, 2, 3, 4, 5, 255]);
    }
  });

  it.each([
    ['too short', TWO_BY_THREE.slice(0, -1), /digits: truncated idx file/],
    ['ending in the header', TWO_BY_THREE.slice(0, 9), /truncated idx file/],
    ['too long', [...TWO_BY_THREE, 0], /bytes left over/],
    ['of floats', [0, 0, 0x0d, 1, 0, 0, 0, 0], /element type 0xd/],
    ['of something else', [1, 2, 3, 4], /not an idx file/],
    ['empty', [], /not an idx file/],
    ['of cut gzip data', gzipSync(Uint8Array.from(TWO_BY_THREE)).subarray(0, 20), /damaged gzip/],
  ])('refuses a file %s', (_, bytes, message) => {
    expect(() => readIdx(file(bytes))).toThrow(message);
  });
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileFormatError, G2DError } from '@g2d/core';
import { afterAll, describe, expect, it } from 'vitest';
import { OpenFile, readSmallFile, sourceOf, withFile } from './byte-source.js';
import { refuseGitLfsPointer } from './git-lfs.js';

const folder = mkdtempSync(join(tmpdir(), 'g2d-bytes-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'ten.bin');
writeFileSync(path, Buffer.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));

describe('ByteSource', () => {
  it.each([
    ['a file', new OpenFile(path)],
    ['a buffer', sourceOf(Buffer.from([255, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).subarray(1), path)],
  ])('reads pieces of %s into memory of their own', (_, source) => {
    expect(source.size).toBe(10);
    const piece = source.read(3, 4);
    expect(Array.from(piece)).toEqual([3, 4, 5, 6]);
    expect(piece.byteOffset).toBe(0);
    expect(piece.buffer.byteLength).toBe(4);
    piece.fill(0);
    expect(Array.from(source.read(3, 1))).toEqual([3]);
    expect(source.read(10, 0)).toHaveLength(0);
  });

  it.each([
    ['a file', new OpenFile(path)],
    ['a buffer', sourceOf(Buffer.alloc(10), path)],
  ])('says that %s is truncated before it allocates', (_, source) => {
    expect(() => source.read(8, 3)).toThrow(
      /ten\.bin: truncated: 3 bytes are expected at byte 8, but only 2/,
    );
    expect(() => source.read(0, 2 ** 60)).toThrow(/truncated/);
    expect(() => source.read(2 ** 60, 1)).toThrow(/only 0 are there/);
  });
});

describe('OpenFile', () => {
  it('refuses folders and pipes, which would wait for ever', () => {
    expect(() => new OpenFile(folder)).toThrow(FileFormatError);
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(() => new OpenFile(pipe)).toThrow(/pipe: is not a file/);
  });

  it('refuses to read after close, and notices a file that became shorter', () => {
    const shrinking = join(folder, 'shrinking.bin');
    writeFileSync(shrinking, Buffer.alloc(10));
    const file = new OpenFile(shrinking);
    truncateSync(shrinking, 5);
    expect(() => file.read(0, 10)).toThrow(/shorter while open/);
    file.close();
    file.close();
    expect(() => file.read(0, 1)).toThrow(/closed/);
  });
});

describe('withFile', () => {
  it('closes the file, whatever happens', () => {
    let file: OpenFile | undefined;
    expect(withFile(path, (opened) => (file = opened).read(9, 1)[0])).toBe(9);
    expect(() => file?.read(0, 1)).toThrow(/closed/);
    expect(() =>
      withFile(path, (opened) => {
        file = opened;
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(() => file?.read(0, 1)).toThrow(/closed/);
  });
});

describe('readSmallFile', () => {
  it('refuses a large file', () => {
    expect(readSmallFile(path, 10)).toHaveLength(10);
    expect(() => readSmallFile(path, 9)).toThrow(/has 10 bytes; at most 9/);
  });
});

describe('refuseGitLfsPointer', () => {
  it('says what to do', () => {
    const pointer = Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n');
    let error: unknown;
    try {
      refuseGitLfsPointer(pointer.subarray(0, 32), 'a.wav');
    } catch (thrown) {
      error = thrown;
    }
    expect(G2DError.isInstance(error) && error.code).toBe('G2D_FILE_FORMAT');
    expect((error as Error).message).toMatch(/^a\.wav: is a Git LFS pointer .*git lfs pull/);
    expect(() => refuseGitLfsPointer(Buffer.from('version 1'), 'a.wav')).not.toThrow();
  });
});

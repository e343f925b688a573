import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { isFolder, isThere, makeFolder, readIfThere } from './files.js';
import { writeFileAtomic } from './write-file-atomic.js';

const root = mkdtempSync(join(tmpdir(), 'g2d-files-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const at = (...names: string[]): string => join(root, ...names);

describe('readIfThere', () => {
  it('tells a file that is not there from one that cannot be read, and says which', () => {
    writeFileSync(at('file'), 'text');
    mkdirSync(at('folder'));
    symlinkSync(at('loop'), at('loop'));
    expect(readIfThere(at('file'))?.toString()).toBe('text');
    expect(readIfThere(at('none'))).toBeUndefined();
    expect(readIfThere(at('file', 'inside'))).toBeUndefined();
    expect([isThere(at('x'.repeat(5000))), isThere('a\0b')]).toEqual([false, false]);
    for (const name of ['folder', 'loop']) {
      expect(() => readIfThere(at(name))).toThrow(
        expect.objectContaining({ code: 'G2D_FILE', message: expect.stringContaining(at(name)) as string }),
      );
    }
  });
});

describe('isThere and isFolder', () => {
  it('say what a name is, and refuse to guess where they cannot look', () => {
    expect(['file', 'folder', 'none'].map((name) => isThere(at(name)))).toEqual([true, true, false]);
    expect(['file', 'folder', 'none'].map((name) => isFolder(at(name)))).toEqual([false, true, false]);
    expect(() => isThere(at('loop'))).toThrow(/loop is there and cannot be read \(ELOOP/);
    symlinkSync(at('unmounted'), at('link'));
    expect(() => isThere(at('link'))).toThrow(
      /link is a link to \S+unmounted, and that is not there\. Nothing/,
    );
    expect(isThere(at('link', 'inside'))).toBe(false);
  });
});

describe('makeFolder', () => {
  it('makes all that is missing, and leaves what is there', () => {
    makeFolder(at('a', 'b', 'c'));
    writeFileSync(at('a', 'kept'), '');
    makeFolder(at('a', 'b', 'c'));
    makeFolder('/');
    makeFolder('.');
    expect(isFolder(at('a', 'b', 'c'))).toBe(true);
    expect(isThere(at('a', 'kept'))).toBe(true);
  });

  it('ends with the system’s error where a folder cannot be, also below /proc', () => {
    expect(() => makeFolder(at('file'))).toThrow(/EEXIST/);
    expect(() => makeFolder(at('file', 'inside'))).toThrow(/ENOTDIR/);
    expect(() => makeFolder('')).toThrow(/ENOENT/);
    if (process.platform !== 'linux') return;
    expect(() => makeFolder('/proc/g2d/runs/a')).toThrow(/ENOENT/);
    expect(() => writeFileAtomic('/proc/g2d/runs/a.json', '')).toThrow(/ENOENT/);
  });
});

describe('writeFileAtomic', () => {
  it('makes the folders around a file, and replaces it', () => {
    writeFileAtomic(at('x', 'y', 'z.txt'), 'one');
    writeFileAtomic(at('x', 'y', 'z.txt'), [Buffer.from('tw'), Buffer.from('o')]);
    expect(readFileSync(at('x', 'y', 'z.txt'), 'utf8')).toBe('two');
  });
});

import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { makeFolder } from './files.js';

/**
 * Writes a file so that a reader, or a crash at any moment, sees the old content or the new one, never a part:
 * a temporary name beside it, synced, then renamed. Missing folders are made.
 *
 * @param path Where the file ends up.
 * @param content Text (UTF-8), bytes, or several pieces of bytes written one after another.
 */
export function writeFileAtomic(path: string, content: string | Uint8Array | Iterable<Uint8Array>): void {
  makeFolder(dirname(path));
  const temporary = join(
    dirname(path),
    `.${basename(path)}.${process.pid}-${randomBytes(4).toString('hex')}`,
  );
  const file = openSync(temporary, 'wx');
  try {
    const pieces =
      typeof content === 'string'
        ? [Buffer.from(content)]
        : content instanceof Uint8Array
          ? [content]
          : content;
    for (const piece of pieces) {
      for (let written = 0; written < piece.length;) written += writeSync(file, piece, written);
    }
    fsyncSync(file);
    closeSync(file);
    renameSync(temporary, path);
  } catch (error) {
    try {
      closeSync(file);
    } catch {
      // Already closed: the rename failed.
    }
    rmSync(temporary, { force: true });
    throw error;
  }
}

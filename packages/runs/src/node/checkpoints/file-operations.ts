import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { isThere, makeFolder } from '@g2d/formats/node';

/** What checkpoints ask of a file system: few operations, so that tests can cut the power between any two. */
export interface FileOperations {
  /** Throws where that cannot be told. */
  exists(path: string): boolean;
  list(folder: string): readonly string[];
  read(path: string): Uint8Array;
  makeFolder(path: string): void;
  /** Writes a new file, piece after piece. Its content is on disk when this returns; its name only after `sync` of the folder. */
  write(path: string, pieces: readonly Uint8Array[]): void;
  rename(from: string, to: string): void;
  /** Removes a folder with its files; none is no error. */
  remove(path: string): void;
  /** What was created, renamed and removed in a folder is on disk when this returns. */
  sync(folder: string): void;
}

export const nodeFiles: FileOperations = {
  exists: isThere,
  list: (folder) => readdirSync(folder),
  read: (path) => readFileSync(path),
  makeFolder,
  write(path, pieces) {
    const file = openSync(path, 'wx');
    try {
      for (const piece of pieces) {
        for (let done = 0; done < piece.length;) done += writeSync(file, piece, done);
      }
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  },
  rename: renameSync,
  remove: (path) => rmSync(path, { recursive: true, force: true }),
  sync(folder) {
    let file: number | undefined;
    try {
      file = openSync(folder, 'r');
      fsyncSync(file);
    } catch (error) {
      // Windows and some network file systems cannot open or sync a folder, and order these changes themselves.
      const { code = '' } = error as NodeJS.ErrnoException;
      if (!['EPERM', 'EISDIR', 'EACCES', 'EINVAL', 'ENOTSUP', 'ENOSYS'].includes(code)) throw error;
    } finally {
      if (file !== undefined) closeSync(file);
    }
  },
};

import { readFile, stat } from 'node:fs/promises';
import { FileFormatError } from '@g2d/core';

/**
 * A file at once, without stopping the thread that waits for it.
 *
 * @throws {FileFormatError} If it is not there, is no file, or is larger than `limit` bytes.
 */
export async function readWholeFile(path: string, limit: number): Promise<Buffer> {
  const gone = (error: unknown): never => {
    throw new FileFormatError(
      path,
      `cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)}). It was there when the dataset was opened: ` +
        'put it back, or open the dataset again without it.',
      { cause: error },
    );
  };
  const info = await stat(path).catch(gone);
  // Before reading: a pipe would wait for its other end.
  if (!info.isFile()) throw new FileFormatError(path, 'is not a file; expected the path of a data file.');
  if (info.size > limit) {
    throw new FileFormatError(
      path,
      `has ${info.size} bytes; at most ${limit} are read of such a file. Is it the right one?`,
      { limit },
    );
  }
  return readFile(path).catch(gone);
}

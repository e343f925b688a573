import { constants } from 'node:buffer';
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { FileFormatError } from '@g2d/core';
import { refusePastEnd, type ByteSource } from '../byte-source.js';

/** An open file, or bytes in memory, read as Node's buffers. */
export type BufferSource = ByteSource<Buffer>;

/** `readSync` takes lengths below 2³¹. */
const LONGEST_READ = 2 ** 30;

/** A file whose parts are read when they are asked for; a file of any size opens at once. */
export class OpenFile implements BufferSource {
  readonly path: string;
  readonly size: number;
  #file: number | undefined;

  /** @throws {FileFormatError} If `path` is a folder or a device. */
  constructor(path: string) {
    // Before opening: opening a pipe would wait for its other end.
    if (!statSync(path).isFile()) {
      throw new FileFormatError(path, 'is not a file; expected the path of a data file.');
    }
    this.path = path;
    this.#file = openSync(path, 'r');
    this.size = fstatSync(this.#file).size;
  }

  read(start: number, length: number): Buffer {
    const bytes = allocate(this, start, length);
    this.readInto(bytes, start);
    return bytes;
  }

  /** Fills `bytes` from `start` on. */
  readInto(bytes: Uint8Array, start: number): void {
    if (this.#file === undefined) throw new FileFormatError(this.path, 'the file has been closed.');
    for (let done = 0; done < bytes.length;) {
      const wanted = Math.min(bytes.length - done, LONGEST_READ);
      const count = readSync(this.#file, bytes, done, wanted, start + done);
      if (count === 0) throw new FileFormatError(this.path, 'truncated: it became shorter while open.');
      done += count;
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

/** A file's content that is in memory already. */
export function sourceOf(content: Uint8Array, path: string): BufferSource {
  return {
    path,
    size: content.length,
    read(start, length) {
      const bytes = allocate(this, start, length);
      bytes.set(content.subarray(start, start + length));
      return bytes;
    },
  };
}

/** Opens a file for the time of `use`. */
export function withFile<T>(path: string, use: (file: OpenFile) => T): T {
  const file = new OpenFile(path);
  try {
    return use(file);
  } finally {
    file.close();
  }
}

/**
 * A small file at once.
 *
 * @throws {FileFormatError} If it is larger than `limit` bytes.
 */
export function readSmallFile(path: string, limit: number): Buffer {
  return withFile(path, (file) => {
    if (file.size > limit) {
      throw new FileFormatError(path, `has ${file.size} bytes; at most ${limit} are read of such a file.`, {
        limit,
      });
    }
    return file.read(0, file.size);
  });
}

/** Checked before the allocation: a damaged length must not cost memory. */
function allocate(source: BufferSource, start: number, length: number): Buffer {
  refusePastEnd(source, start, length);
  if (length > constants.MAX_LENGTH) {
    throw new FileFormatError(
      source.path,
      `has one piece of ${length} bytes at byte ${start}; Node holds at most ${constants.MAX_LENGTH} at once.`,
      { offset: start },
    );
  }
  return Buffer.from(new ArrayBuffer(length));
}

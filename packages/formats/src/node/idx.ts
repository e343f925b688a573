import { FileFormatError } from '@g2d/core';
import { readSmallFile } from './byte-source.js';
import { refuseGitLfsPointer } from './git-lfs.js';
import { gunzipped } from './gunzip.js';

/** An array of bytes as MNIST distributes them. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** Nothing of MNIST's size comes near; a gzip bomb does. */
const LARGEST = 2 ** 28;

/**
 * Reads an idx file of unsigned bytes, gzipped or plain (told apart by content, not by name).
 *
 * @param path The file.
 * @throws {FileFormatError} If it is not idx, not bytes, or its length is not what the header says.
 * @see The MNIST database, "file formats"
 */
export function readIdx(path: string): IdxArray {
  const packed = readSmallFile(path, LARGEST);
  refuseGitLfsPointer(packed, path);
  const bytes = gunzipped(packed, path, LARGEST);
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0) {
    throw new FileFormatError(path, 'not an idx file: it does not start with two zero bytes.');
  }
  if (bytes[2] !== 0x08) {
    throw new FileFormatError(
      path,
      `idx element type 0x${bytes[2]?.toString(16)}; only bytes (0x08) are read.`,
    );
  }
  const axes = bytes[3] as number;
  const start = 4 + 4 * axes;
  if (bytes.length < start) throw new FileFormatError(path, 'truncated idx file: it ends within the header.');
  const shape = Array.from({ length: axes }, (_, axis) => bytes.readUInt32BE(4 + 4 * axis));
  const count = shape.reduce((product, axis) => product * axis, 1);
  if (bytes.length - start !== count) {
    throw new FileFormatError(
      path,
      `${bytes.length - start < count ? 'truncated idx file' : 'idx file with bytes left over'}: shape ` +
        `[${shape.join(', ')}] needs ${count} bytes, ${bytes.length - start} follow the header.`,
    );
  }
  return { shape, data: new Uint8Array(bytes.buffer, bytes.byteOffset + start, count) };
}

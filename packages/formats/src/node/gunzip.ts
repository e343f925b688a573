import { gunzipSync } from 'node:zlib';
import { FileFormatError } from '@g2d/core';

/**
 * What is packed in gzipped bytes; other bytes as they are. Told apart by content, not by name.
 *
 * @param limit Bytes at most, unpacked: a gzip bomb has more.
 * @throws {FileFormatError} If the packed data are damaged, or hold more.
 */
export function gunzipped(bytes: Buffer, path: string, limit: number): Buffer {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: limit });
  } catch (error) {
    throw new FileFormatError(path, `damaged gzip data (${(error as Error).message}).`, { cause: error });
  }
}

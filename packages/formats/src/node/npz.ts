import { FileFormatError } from '@g2d/core';
import { readSmallFile, sourceOf } from './byte-source.js';
import { npyOf, type NpyFile } from './npy.js';
import { readZip, type ZipLimits } from './read-zip.js';

const LARGEST_ARCHIVE = 2 ** 30;

/**
 * Reads a numpy archive, compressed or not, into memory: it is a zip file of npy files.
 *
 * @param path The file.
 * @param limits What may be unpacked, and which arrays (by member name, such as `labels.npy`).
 * @returns Array name (without `.npy`) → array. One that cannot be read (texts, Python objects) says so once it is used.
 * @throws {FileFormatError} If it is no such archive.
 */
export function readNpz(path: string, limits: ZipLimits = {}): ReadonlyMap<string, NpyFile> {
  const arrays = new Map<string, NpyFile>();
  for (const [member, content] of readZip(readSmallFile(path, LARGEST_ARCHIVE), path, limits)) {
    arrays.set(member.replace(/\.npy$/, ''), arrayOf(content, `${path}/${member.slice(0, 200)}`));
  }
  return arrays;
}

function arrayOf(content: Buffer, path: string): NpyFile {
  try {
    return npyOf(sourceOf(content, path));
  } catch (error) {
    if (!FileFormatError.isInstance(error)) throw error;
    const refuse = (): never => {
      throw error;
    };
    return {
      path,
      get shape() {
        return refuse();
      },
      get dtype() {
        return refuse();
      },
      get rowLength() {
        return refuse();
      },
      row: refuse,
      rows: refuse,
      all: refuse,
      close() {},
    };
  }
}

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
 * @returns Array name (without `.npy`) → array.
 * @throws {FileFormatError} If it is no such archive, or a member no array of numbers.
 */
export function readNpz(path: string, limits: ZipLimits = {}): ReadonlyMap<string, NpyFile> {
  const arrays = new Map<string, NpyFile>();
  for (const [member, content] of readZip(readSmallFile(path, LARGEST_ARCHIVE), path, limits)) {
    if (!member.endsWith('.npy')) {
      throw new FileFormatError(
        path,
        `member "${member.slice(0, 200)}" is no array; expected names that end with .npy.`,
      );
    }
    arrays.set(member.slice(0, -'.npy'.length), npyOf(sourceOf(content, `${path}/${member}`)));
  }
  return arrays;
}

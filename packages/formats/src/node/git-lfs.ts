import { FileFormatError } from '@g2d/core';
import { withFile } from './byte-source.js';

const POINTER = Buffer.from('version https://git-lfs');

/** Whether a file is such a stub. */
export const isGitLfsPointer = (path: string): boolean =>
  withFile(path, (file) => POINTER.equals(file.read(0, Math.min(file.size, POINTER.length))));

/**
 * Says so if a file is only the stub that a clone without Git LFS leaves in a large file's place.
 *
 * @param start The file's first bytes.
 * @throws {FileFormatError} If it is one.
 */
export function refuseGitLfsPointer(start: Uint8Array, path: string): void {
  if (POINTER.equals(start.subarray(0, POINTER.length))) {
    throw new FileFormatError(
      path,
      'is a Git LFS pointer of some 130 bytes, not the file itself: the repository was cloned without Git LFS. ' +
        'Run `git lfs pull` in the clone, or download the file itself.',
      { offset: 0 },
    );
  }
}

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { FileFormatError } from '@g2d/core';

/**
 * Of a file that comes with the repository: refuses any other. To be called last: what is wrong with a file says more than that
 * something is.
 *
 * @throws {FileFormatError} If it has another SHA-256.
 */
export function assertChecksum(path: string, sha256: string): void {
  const found = createHash('sha256').update(readFileSync(path)).digest('hex');
  if (found === sha256) return;
  throw new FileFormatError(
    path,
    `is another file than the repository's: its SHA-256 is ${found}; expected ${sha256}. Take the file again.`,
    { found, sha256 },
  );
}

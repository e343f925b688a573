import { mkdirSync, readFileSync, readlinkSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { G2DError } from '@g2d/core';

/**
 * The content of a file, `undefined` only where there is none. Whoever takes a file that cannot be read for one that is not there, goes on
 * as if nothing had been written, and overwrites it.
 *
 * @throws {G2DError} With code `G2D_FILE` if it is there and cannot be read.
 */
export function readIfThere(path: string): Buffer | undefined {
  return ifThere(path, () => readFileSync(path));
}

/** Whether there is anything of a name. A name that cannot be looked at is an error as in `readIfThere`. */
export const isThere = (path: string): boolean => statIfThere(path) !== undefined;

/** Whether a name is a folder's. A name that cannot be looked at is an error as in `readIfThere`. */
export const isFolder = (path: string): boolean => statIfThere(path)?.isDirectory() ?? false;

const statIfThere = (path: string): Stats | undefined => ifThere(path, () => statSync(path));

/** There is nothing of the name, what should be the folder around it is a file, or nothing can have such a name. */
const NOTHING = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE'];

function ifThere<T>(path: string, look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (NOTHING.includes(code)) {
      assertNoLink(path);
      return undefined;
    }
    // The system's sentence does not always say which file.
    throw new G2DError(
      'G2D_FILE',
      `${path} is there and cannot be read (${message}). Nothing was changed. Put this right (its permissions, the disk, what stands in its place), then try again.`,
      { path, reason: code },
      { cause: error },
    );
  }
}

/** A link whose target is not there, as on a disk that is not mounted, is not nothing: what it leads to may come back. */
function assertNoLink(path: string): void {
  const target = linkTarget(path);
  if (target === undefined) return;
  throw new G2DError(
    'G2D_FILE',
    `${path} is a link to ${target}, and that is not there. Nothing was changed. Put it back (a disk that is not mounted, as a rule), or take the link away, then try again.`,
    { path, reason: 'ENOENT' },
  );
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/**
 * Makes a folder with those around it; one that is there is no error. Node's own way of doing so never ends below `/proc`.
 *
 * @throws The system's error if it cannot be made.
 */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    const around = dirname(path);
    const isLost = (error as NodeJS.ErrnoException).code === 'ENOENT' && !isThere(around);
    if (!isLost || around === path) throw error;
    makeFolder(around);
    makeFolder(path);
  }
}

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { OptionError } from '@g2d/core';

const FILES = ['case.json', 'expected.json'] as const;

/** The two files of a case. */
export interface CaseFiles {
  readonly case: string;
  readonly expected: string;
}

/**
 * The cases of a folder: itself, or its sub-folders in the order of their names.
 *
 * A folder with one of the two files counts, so that the reader of the other one says that it is missing.
 *
 * @throws {OptionError} If the folder does not exist or holds no case.
 */
export function findCases(folder: string): CaseFiles[] {
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory();
  if (!isFolder) {
    throw notACase(folder, isFolder === undefined ? 'does not exist' : 'is a file');
  }
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map(({ name }) => name);
  const folders = [folder, ...names.sort().map((name) => join(folder, name))];
  const cases = folders.filter((path) => FILES.some((file) => existsSync(join(path, file))));
  if (cases.length === 0) throw notACase(folder, 'holds no case');
  return cases.map((path) => ({ case: join(path, 'case.json'), expected: join(path, 'expected.json') }));
}

function notACase(folder: string, problem: string): OptionError {
  return new OptionError(
    `${folder} ${problem}. Give the folder of a parity case (${FILES.join(' and ')}), or a folder of such folders.`,
    { option: 'folder', value: folder, accepted: `a folder with ${FILES.join(' and ')}` },
  );
}

// The public parity cases, and changed copies of them, for this package's tests.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import type { CaseFiles } from '../src/find-cases.js';

/** The folder with all public cases. */
export const publicCases = fileURLToPath(new URL('../../../test/parity/cases', import.meta.url));

export const publicNames = (start: string): string[] =>
  readdirSync(publicCases).filter((name) => name.startsWith(start));

/** Those of the methods that other authors' code computes. */
export const methodCases = fileURLToPath(new URL('../../../test/parity/methods', import.meta.url));

export const methodNames = (start: string): string[] =>
  readdirSync(methodCases).filter((name) => name.startsWith(start));

/** Those of the systems for missing modalities, and of MIS-ME. */
export const missingCases = fileURLToPath(new URL('../../../test/parity/missing', import.meta.url));

export const missingNames = (start: string): string[] =>
  readdirSync(missingCases).filter((name) => name.startsWith(start));

export const filesOf = (name: string): CaseFiles => {
  const all = [publicCases, methodCases, missingCases].map((parent) => join(parent, name));
  const folder = all.find((path) => existsSync(path)) ?? (all[0] as string);
  return { case: join(folder, 'case.json'), expected: join(folder, 'expected.json') };
};

/** Any JSON, as a test changes it. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any;

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

/** An empty folder that is removed after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'g2d-parity-'));
  folders.push(folder);
  return folder;
}

/** A copy of a public case in a folder of its own. A change may edit the object, or give the text of the file. */
export function changedCase(
  name: string,
  change: { case?: (file: Json) => string | void; expected?: (file: Json) => string | void },
): CaseFiles & { readonly folder: string } {
  const folder = join(temporaryFolder(), name);
  mkdirSync(folder);
  for (const kind of ['case', 'expected'] as const) {
    const file: Json = JSON.parse(readFileSync(filesOf(name)[kind], 'utf8'));
    const text = change[kind]?.(file);
    writeFileSync(join(folder, `${kind}.json`), typeof text === 'string' ? text : JSON.stringify(file));
  }
  return { folder, case: join(folder, 'case.json'), expected: join(folder, 'expected.json') };
}

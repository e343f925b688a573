// The damaged copies of a dataset's folder that its broken.json describes.
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Operation = { readonly path: string } & (
  | { readonly op: 'truncate'; readonly bytes: number }
  | { readonly op: 'delete' | 'empty-dir' }
  | { readonly op: 'write-text' | 'append-text'; readonly text: string }
  | { readonly op: 'copy'; readonly from: string }
  | { readonly op: 'zero-tail'; readonly from: number }
  | { readonly op: 'replace-text'; readonly old: string; readonly new: string }
);

export interface BrokenCase {
  readonly id: string;
  readonly ops: readonly Operation[];
  readonly open?: { readonly split: 'train' | 'test'; readonly csv?: string };
  readonly read?: { readonly split: 'train' | 'test'; readonly index?: number; readonly stem?: string };
  readonly expect: 'error' | 'drop' | 'warning' | 'same-as-good' | 'value';
  readonly kept?: number;
  readonly dropped?: number;
  readonly mentions?: readonly string[];
}

/** @param fixtures The dataset's folder of fixtures, with `broken.json`. */
export function brokenCases(fixtures: string): readonly BrokenCase[] {
  return (JSON.parse(readFileSync(join(fixtures, 'broken.json'), 'utf8')) as { cases: BrokenCase[] }).cases;
}

/** A copy in a temporary folder with the operations done to it; the caller deletes it. */
export function damagedCopy(fixtures: string, operations: readonly Operation[]): string {
  const root = mkdtempSync(join(tmpdir(), 'g2d-damaged-'));
  cpSync(join(fixtures, 'root'), root, { recursive: true });
  for (const operation of operations) damage(join(root, operation.path), operation, fixtures);
  return root;
}

function damage(path: string, operation: Operation, fixtures: string): void {
  switch (operation.op) {
    case 'truncate':
      return truncateSync(path, operation.bytes);
    case 'delete':
      return rmSync(path, { recursive: true });
    case 'empty-dir':
      return readdirSync(path).forEach((name) => rmSync(join(path, name)));
    case 'write-text':
      return writeFileSync(path, operation.text);
    case 'append-text':
      return appendFileSync(path, operation.text);
    case 'copy':
      return copyFileSync(join(fixtures, operation.from), path);
    case 'zero-tail':
      return writeFileSync(path, readFileSync(path).fill(0, operation.from));
    case 'replace-text': {
      const text = readFileSync(path, 'utf8');
      if (!text.includes(operation.old)) throw new Error(`${path} does not hold ${operation.old}`);
      return writeFileSync(path, text.replace(operation.old, operation.new));
    }
    default:
      throw new Error(`unknown operation ${JSON.stringify(operation)}`);
  }
}

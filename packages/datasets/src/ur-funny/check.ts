import { existsSync } from 'node:fs';
import { readPickle } from '@g2d/formats/node';
import { checkKeys, DatasetNotFoundError } from '@g2d/core';
import type { DatasetCheck } from '@g2d/core';
import type { Split } from '@g2d/core';
import { findUrFunny, readUrFunny, UR_FUNNY_HOW_TO_GET, UR_FUNNY_LICENCE } from './open.js';
import type { UrFunnyOptions } from './options.js';
import { rawFiles } from './raw.js';
import { MODALITIES, type WordTable } from './word-table.js';

/** Settings of `checkUrFunny`. */
export interface CheckUrFunnyOptions extends Pick<UrFunnyOptions, 'widths'> {
  /** Called now and then with the part done, in [0, 1]. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

const SPLITS = ['train', 'validation', 'test'] as const;
/** Version 2 as issued again in August 2021: the paper's accuracies are parts of 994. */
const EXPECTED = { train: 7614, validation: 980, test: 994 } as const;
const OTHERS: readonly (readonly [string, Readonly<Record<Split, number>>])[] = [
  ['version 2 as first issued', { train: 8074, validation: 1034, test: 1058 }],
  ['version 1', { train: 10_598, validation: 2626, test: 3290 }],
];
/** Known of the published files, and dealt with. */
const WITHOUT_WORDS = 'sample left out (expected of the published files)';
const NOT_FINITE = 'numbers that are not finite, read as 0 (expected of the published files)';

/**
 * Looks through a folder of UR-FUNNY: reads every pickle and every sample, some minutes for the published files.
 *
 * @param folder As `root` of `urFunny`. It may be incomplete, or not there.
 * @example
 * const { asPublished, problems } = await checkUrFunny('data/ur-funny');
 */
export async function checkUrFunny(folder: string, given: CheckUrFunnyOptions = {}): Promise<DatasetCheck> {
  const { onProgress, widths } = checkKeys(given, { onProgress: true, widths: true }, 'checkUrFunny');
  const problems = new Map<string, string[]>();
  const report = (reason: string, id: string): void => {
    const ids = problems.get(reason) ?? [];
    if (!ids.includes(id)) problems.set(reason, [...ids, id]);
  };
  const options = { root: folder, ...(widths && { widths }) };
  const found: Record<Split, number> = { train: 0, validation: 0, test: 0 };
  onProgress?.(0);
  for (const [split, table] of tablesOf(options, report)) {
    found[split] = table.listed;
    for (const [reason, ids] of Object.entries(table.dropped)) {
      for (const id of ids) report(WITHOUT_WORDS, `${split}: ${id}, ${reason}`);
    }
    for (const modality of MODALITIES) {
      const { minusInfinity, plusInfinity, nan } = table.zeroed[modality];
      const count = minusInfinity + plusInfinity + nan;
      if (count > 0)
        report(
          NOT_FINITE,
          `${split}, ${modality}: ${count} (−∞ ${minusInfinity}, +∞ ${plusInfinity}, NaN ${nan})`,
        );
    }
  }
  const isOf = (counts: Readonly<Record<Split, number>>): boolean =>
    SPLITS.every((split) => found[split] === counts[split]);
  for (const [name, counts] of OTHERS)
    if (isOf(counts)) report('another version than the one of the paper', name);
  const harmless = [WITHOUT_WORDS, NOT_FINITE];
  return {
    dataset: 'UR-FUNNY',
    folder,
    licence: UR_FUNNY_LICENCE,
    howToGet: UR_FUNNY_HOW_TO_GET,
    expected: EXPECTED,
    found,
    problems: [...problems].map(([reason, ids]) => ({ reason, ids })),
    asPublished: isOf(EXPECTED) && [...problems.keys()].every((reason) => harmless.includes(reason)),
  };
}

type Report = (reason: string, id: string) => void;

/** All splits, or those that can be read. */
function tablesOf(options: Omit<UrFunnyOptions, 'split'>, report: Report): ReadonlyMap<Split, WordTable> {
  const read = (splits: readonly Split[]): ReadonlyMap<Split, WordTable> =>
    readUrFunny({ ...options, split: 'train' }, splits).tables;
  let incomplete: boolean;
  try {
    return read(SPLITS);
  } catch (error) {
    incomplete = error instanceof DatasetNotFoundError;
    reportError(error, report);
  }
  // Only now, so that files of some GB are read once where all is well.
  reportUnreadable(options.root, report);
  const tables = new Map<Split, WordTable>();
  for (const split of incomplete ? [] : SPLITS) {
    try {
      for (const [name, table] of read([split])) tables.set(name, table);
    } catch (error) {
      reportError(error, report);
    }
  }
  return tables;
}

function reportError(error: unknown, report: Report): void {
  if (error instanceof DatasetNotFoundError) {
    for (const name of error.details['missing'] as readonly string[]) report('file missing', name);
  } else {
    report('file that cannot be used', messageOf(error));
  }
}

function reportUnreadable(root: string, report: Report): void {
  const { packed, version } = findUrFunny(root);
  for (const path of packed === undefined ? Object.values(rawFiles(root, version)) : [packed]) {
    if (!existsSync(path)) continue;
    try {
      readPickle(path, { packNumbers: true });
    } catch (error) {
      reportError(error, report);
    }
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

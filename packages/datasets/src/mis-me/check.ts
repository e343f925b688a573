import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readImage } from '@g2d/formats/node';
import { checkOptions, FileFormatError } from '@g2d/core';
import type { DatasetCheck } from '@g2d/core';
import { MIS_ME_HOW_TO_GET, MIS_ME_LICENCE, misMeTablePath, openMisMe } from './open.js';
import { misMeOptions, type MisMeOptions } from './options.js';
import { readMisMeTable, type MisMeRow } from './table.js';

/** Settings of `checkMisMe`. */
export interface CheckMisMeOptions extends Omit<MisMeOptions, 'root' | 'split' | 'station'> {
  /** Called now and then with the part done, in [0, 1]. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

const EXPECTED = {
  train: 2701,
  validation: 900,
  test: 900,
  'test OK001': 365,
  'test OK002': 241,
  'test OK003': 294,
} as const;
const TABLES: Readonly<Record<keyof typeof EXPECTED, string>> = {
  train: 'combined_only_train',
  validation: 'combined_only_val',
  test: 'combined_only_test',
  'test OK001': 'OK001_only_test',
  'test OK002': 'OK002_only_test',
  'test OK003': 'OK003_only_test',
};
/** Pictures that are decoded at the same time: a few more than there are threads for it. */
const AT_ONCE = 8;

/**
 * Looks through a folder of MIS-ME: every table, and every picture that a table names, which is decoded. It takes about a minute.
 *
 * The stations' own tables are counted, but training does not need them.
 *
 * @param folder As `root` of `misMe`. It may be incomplete, or not there.
 * @example
 * const { asPublished, problems } = await checkMisMe('data/mis-me');
 */
export async function checkMisMe(
  folder: string,
  { onProgress, ...given }: CheckMisMeOptions = {},
): Promise<DatasetCheck> {
  const options = checkOptions(misMeOptions, { ...given, root: folder }, 'checkMisMe');
  const problems = new Map<string, string[]>();
  const report = (reason: string, id: string): void => {
    problems.set(reason, [...(problems.get(reason) ?? []), id]);
  };
  const found: Record<string, number> = {};
  const named = new Set<string>();
  let readable = true;
  for (const part of Object.keys(TABLES) as (keyof typeof TABLES)[]) {
    const rows = await readTable(misMeTablePath(options, TABLES[part]), report);
    found[part] = rows.length;
    if (rows.length === 0 && !part.includes(' ')) readable = false;
    for (const { image } of rows) named.add(image);
    for (const { image, vwc } of rows) {
      if (vwc <= 0 || vwc > 1) report('target vwc that is no fraction above 0', `${image}: ${vwc}`);
    }
  }

  const imageFolder = join(folder, options.imageFolder);
  const there = new Set(existsSync(imageFolder) ? readdirSync(imageFolder) : []);
  const absent = [...named].filter((image) => !there.has(image));
  if (there.size === 0) report('folder of pictures missing or empty', imageFolder);
  else for (const image of absent) report('picture missing', image);
  // Without a table nobody says which are needed: all of them then.
  const toRead = readable
    ? [...named].filter((image) => there.has(image))
    : [...there].filter((name) => /^[^.].*\.jpe?g$/i.test(name));
  for (let from = 0; from < toRead.length; from += AT_ONCE) {
    onProgress?.(from / toRead.length);
    const piece = toRead.slice(from, from + AT_ONCE);
    const broken = await Promise.all(
      piece.map((image) => readImage(join(imageFolder, image)).then(() => undefined, reasonOf)),
    );
    broken.forEach((reason, i) => {
      if (reason !== undefined) report('picture broken', `${piece[i] as string}: ${reason}`);
    });
  }
  // What only opening shows, such as a column without any number.
  if (problems.size === 0) {
    await openMisMe({ ...options, split: 'train' }).catch((error: unknown) =>
      report('cannot be opened', error instanceof Error ? error.message : String(error)),
    );
  }
  const inTraining = [...problems.keys()].filter((reason) => reason !== STATION_TABLE_MISSING);
  const complete = (['train', 'validation', 'test'] as const).every((part) => found[part] === EXPECTED[part]);
  return {
    dataset: 'MIS-ME',
    folder,
    licence: MIS_ME_LICENCE,
    howToGet: MIS_ME_HOW_TO_GET,
    expected: EXPECTED,
    found,
    problems: [...problems].map(([reason, ids]) => ({ reason, ids })),
    asPublished: complete && inTraining.length === 0,
  };
}

const STATION_TABLE_MISSING = 'table of a single station missing (not needed for training)';

async function readTable(
  path: string,
  report: (reason: string, id: string) => void,
): Promise<readonly MisMeRow[]> {
  if (!existsSync(path)) {
    const isStation = basename(path).startsWith('OK');
    report(isStation ? STATION_TABLE_MISSING : 'table missing', path);
    return [];
  }
  try {
    return await readMisMeTable(path);
  } catch (error) {
    report('table that cannot be used', `${basename(path)}: ${reasonOf(error)}`);
    return [];
  }
}

/** What a `FileFormatError` says, without the path. */
function reasonOf(error: unknown): string {
  if (error instanceof FileFormatError) return String(error.details['problem']);
  return error instanceof Error ? error.message : String(error);
}

import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { DatasetNotFoundError, OptionError } from '@g2d/core';
import { firstOf } from '../clips/clip-dataset.js';
import { checkShare } from '../clips/options.js';
import type { Split } from '@g2d/core';
import { splitByFraction } from '../splits.js';
import { readList, type ListedRow } from './list.js';
import type { CremaDSplits } from './options.js';

interface SplitOptions {
  readonly root: string;
  readonly split: Split;
  readonly splits: CremaDSplits;
  /** The folder of the lists that come with this package. */
  readonly published: string;
  readonly howToGet: string;
}

/** The clips of a split, whether their files are there or not. */
export interface SplitClips {
  readonly rows: readonly ListedRow[];
  readonly warnings: readonly string[];
}

/**
 * @throws {DatasetNotFoundError} If a list is missing.
 * @throws {FileFormatError} If a list cannot be used.
 * @throws {OptionError} If the split is empty, or an option has a value that is not accepted.
 */
export function clipsOfSplit({ root, split, splits, published, howToGet }: SplitOptions): SplitClips {
  const paths = listPaths(root, splits, published);
  const missing = Object.values(paths).filter((path) => !existsSync(path));
  if (missing.length > 0) throw new DatasetNotFoundError({ dataset: 'CREMA-D', root, missing, howToGet });
  const lists = Object.fromEntries(
    Object.entries(paths).map(([part, path]) => [part, readList(path)]),
  ) as Record<'train' | 'test', readonly ListedRow[]> & { readonly validation?: readonly ListedRow[] };

  if (splits.by !== 'list') {
    const { fractions = { train: 0.8, validation: 0.1, test: 0.1 }, seed = 0 } = splits;
    const rows = new Map([...lists.train, ...lists.test].map((row) => [row.stem, row]));
    const divided = splitByFraction([...rows.keys()], {
      fractions,
      seed,
      ...(splits.by === 'actor' && { groupOf: actorOf }),
    });
    return { rows: nonEmpty(divided[split], split).map((stem) => rows.get(stem) as ListedRow), warnings: [] };
  }
  const warnings = leaks(paths, lists);
  if (split === 'test') return { rows: lists.test, warnings };
  if (lists.validation !== undefined) return { rows: lists[split] as readonly ListedRow[], warnings };
  const share = (splits.validation ?? 0) as number;
  checkShare('splits.validation', share);
  if (share === 0) return { rows: split === 'train' ? lists.train : nonEmpty([], split), warnings };
  const drawn = splitByFraction(
    lists.train.map(({ stem }) => stem),
    { fractions: { train: 1 - share, validation: share }, seed: splits.seed ?? 0 },
  );
  const stems = new Set(drawn[split]);
  return { rows: lists.train.filter(({ stem }) => stems.has(stem)), warnings };
}

function listPaths(
  root: string,
  splits: CremaDSplits,
  published: string,
): { readonly train: string; readonly test: string; readonly validation?: string } {
  const { train, test, validation } = splits.by === 'list' ? splits : {};
  if ((train === undefined) !== (test === undefined)) {
    throw new OptionError(
      '`splits` gives one list of `train` and `test`; give both, or none for the default lists.',
      {
        option: 'splits',
        value: splits,
        accepted: 'both lists or none',
      },
    );
  }
  const own = ['train.csv', 'test.csv'].some((name) => existsSync(join(root, name)));
  const folder = own ? root : published;
  return {
    train: resolve(root, train ?? resolve(folder, 'train.csv')),
    test: resolve(root, test ?? resolve(folder, 'test.csv')),
    ...(typeof validation === 'string' && { validation: resolve(root, validation) }),
  };
}

function nonEmpty<T>(rows: readonly T[], split: Split): readonly T[] {
  if (rows.length > 0) return rows;
  throw new OptionError(
    `There is no ${split} split of CREMA-D: its share is 0 (as it is for validation with \`official\`). Give it a share in \`splits\`, ` +
      'or open another split.',
    { option: 'split', value: split, accepted: 'a split that has a share' },
  );
}

/** The four digits before the first "_". */
const actorOf = (stem: string): string => stem.split('_', 1)[0] as string;

/** Clips in two lists: what is measured on one of them would be too good. */
function leaks(
  paths: Readonly<Record<string, string>>,
  lists: Readonly<Record<string, readonly ListedRow[]>>,
): readonly string[] {
  const names = Object.keys(lists);
  return names.flatMap((one, i) =>
    names.slice(i + 1).flatMap((other) => {
      const stems = new Set((lists[one] as readonly ListedRow[]).map(({ stem }) => stem));
      const both = (lists[other] as readonly ListedRow[])
        .map(({ stem }) => stem)
        .filter((stem) => stems.has(stem));
      if (both.length === 0) return [];
      const files = `${basename(paths[one] as string)} and ${basename(paths[other] as string)}`;
      return [`CREMA-D: ${files} share clips (${both.length}: ${firstOf(both)}): the splits are not apart.`];
    }),
  );
}

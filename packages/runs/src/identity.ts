import { readFileSync } from 'node:fs';
import { OptionError, type Split, ownValue } from '@g2d/core';
import {
  checksumWords,
  splitDifferences,
  type RunIdentity,
  type SplitFingerprint,
} from '@g2d/core/run-folder';
import type { RunConfig } from './config-schema.js';
import { CHANGEABLE } from './continuation.js';
import { decisiveSettings } from './differences.js';
import { moduleFile } from './import-module.js';
import { OLD_MASKS } from './legacy-settings.js';
import { sha256 } from './node/checkpoints/checkpoint.js';
import { modulesOf } from './trust.js';

/** Fingerprints of the splits of a run's data. */
export type DataIdentity = RunIdentity['data'];

/** The content of the user's modules that configurations name, by their paths. What these import is not looked at. */
export function moduleChecksums(...configs: readonly RunConfig[]): Record<string, string> {
  const paths = configs.flatMap((config) => modulesOf(config).map(({ path }) => path));
  return Object.fromEntries(
    [...new Set(paths)].flatMap((path) => {
      const content = contentOf(path);
      return content === undefined ? [] : [[path, content]];
    }),
  );
}

/** Of a module of the user's. */
export function contentOf(path: string): string | undefined {
  const file = moduleFile(path);
  return file === undefined ? undefined : sha256(readFileSync(file));
}

/** One text for all of it, short enough for every checkpoint. */
export const digestOf = (data: DataIdentity): string =>
  sha256(JSON.stringify(SPLITS.map((split) => essence(data[split]))));

/** One text for the settings that a run keeps. */
export const settingsDigest = (config: RunConfig): string =>
  sha256(JSON.stringify(decisiveSettings(config, CHANGEABLE)));

/** The same of a run that goes on. Earlier versions left out the seed of its masks where it was theirs, 0. */
export function settingsDigestNow(config: RunConfig, recorded: string): string {
  const digest = settingsDigest(config);
  const { missing } = config.data;
  if (digest === recorded || missing?.seed !== OLD_MASKS.seed) return digest;
  const { seed: _, ...without } = missing;
  const earlier = settingsDigest({ ...config, data: { ...config.data, missing: without } });
  return earlier === recorded ? recorded : digest;
}

const SPLITS: readonly Split[] = ['train', 'validation', 'test'];

/** Without what later versions may add. */
const essence = (split: SplitFingerprint | undefined): unknown =>
  split && [split.size, split.classNames, split.ids, split.labels, split.contents];

/** What stored outputs of a teacher depend on: the ids, and the inputs of its modality. */
export const inputsOf = ({ ids, contents }: SplitFingerprint, modality: string): string =>
  sha256(JSON.stringify([ids, ownValue(contents, modality) ?? null]));

/** How the two sides of a difference are told apart: `then` and `now`. */
export interface Sides {
  readonly before: string;
  readonly now: string;
}

const IN_TIME: Sides = { before: 'then', now: 'now' };

/**
 * In what data differ, by split: `samples: 12 then, 14 now`.
 *
 * @param splits Those that are compared. Default: all.
 */
export function dataDifferences(
  before: DataIdentity,
  now: DataIdentity,
  { splits = SPLITS, sides = IN_TIME }: { readonly splits?: readonly Split[]; readonly sides?: Sides } = {},
): Partial<Record<Split, string>> {
  const words = (what: string, a: string, b: string): string =>
    `${what}: ${a} ${sides.before}, ${b} ${sides.now}`;
  return Object.fromEntries(
    splits.flatMap((split) => {
      const [one, two] = [before[split], now[split]];
      if (!one && !two) return [];
      if (!one || !two)
        return [[split, words('samples', String(one?.size ?? 'none'), String(two?.size ?? 'none'))]];
      const found = splitDifferences(one, two);
      return found.length === 0
        ? []
        : [[split, found.map((each) => words(each.what, each.before, each.now)).join('; ')]];
    }),
  );
}

/** Which of the user's modules have another content, a sentence for each. Those that only one side names are other settings. */
export function moduleDifferences(
  before: RunIdentity['modules'] = {},
  now: Readonly<Record<string, string>>,
  since: string,
): string[] {
  return Object.entries(before).flatMap(([path, content]) => {
    const found = ownValue(now, path);
    return found === undefined || found === content
      ? []
      : [
          `The module ${path} has changed since ${since}: ${checksumWords(content)} then, ${checksumWords(found)} now.`,
        ];
  });
}

/**
 * Everything in which a run is not what it was, a sentence for each.
 *
 * @param since For example `'the run in runs/g2d began'`.
 */
export const identityDifferences = (before: RunIdentity, now: RunIdentity, since: string): string[] => [
  ...Object.entries(dataDifferences(before.data, now.data)).map(
    ([split, words]) => `The ${split} split has changed since ${since} (${words}).`,
  ),
  ...moduleDifferences(before.modules, now.modules ?? {}, since),
];

/** @throws {OptionError} If something is other than it was, unless that is allowed. */
export function assertUnchanged(
  differences: readonly string[],
  { allowChanged = false }: Pick<RunConfig, 'allowChanged'>,
  remedy: string,
): void {
  if (differences.length === 0 || allowChanged) return;
  throw new OptionError(
    `${differences.join(' ')} ${remedy}, or go on all the same with --allow-changed ("allowChanged": true).`,
    { option: 'allowChanged', value: false, accepted: 'true' },
  );
}

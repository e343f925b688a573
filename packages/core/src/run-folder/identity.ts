import { ownValue } from '../own-value.js';
import { z } from 'zod';
import { numberSchema, textSchema, textsSchema, type Immutable } from './values.js';

// SHA-256 throughout, in hexadecimal.

const countedSchema = z
  .looseObject({ count: numberSchema, sha256: textSchema })
  .describe('an object of { count, sha256 }');

const fingerprintSchema = z
  .looseObject({
    size: numberSchema,
    /** By class id; empty for a regression. */
    classNames: textsSchema,
    /** Of `JSON.stringify(ids)`, and the first of them for people. */
    ids: textSchema,
    firstIds: textsSchema,
    /** Of `JSON.stringify(labels)`: of all samples, or of so many. */
    labels: countedSchema,
    /** By modality, of the inputs of so many samples, without augmentation. */
    contents: z.record(z.string(), countedSchema).describe('an object of { count, sha256 } by modality'),
  })
  .describe('an object of { size, classNames, ids, firstIds, labels, contents }');

/** What a split is, so that it is known again: its ids, labels and class names, and what a few of its samples hold. */
export type SplitFingerprint = Immutable<z.output<typeof fingerprintSchema>>;

/** What a run is made of beside its settings. */
export const identitySchema = z
  .looseObject({
    data: z
      .looseObject({
        train: fingerprintSchema,
        validation: fingerprintSchema.exactOptional(),
        test: fingerprintSchema,
      })
      .describe('an object of { train, validation, test }'),
    /** Of the settings that it began with, as far as they decide on its numbers; checkpoints name it. */
    settings: textSchema.exactOptional(),
    /** Content of the user's modules, by their paths in the configuration. */
    modules: z.record(z.string(), z.string()).describe('an object of checksums by path').exactOptional(),
    /** Files of the copies of its teachers. */
    teachers: z
      .record(z.string(), z.record(z.string(), z.string()))
      .describe('an object of checksums by modality and file')
      .exactOptional(),
  })
  .describe('an object of { data, settings, modules, teachers }');

/** What a run is made of beside its settings. */
export type RunIdentity = Immutable<z.output<typeof identitySchema>>;

/** What was other than before when a run went on, or than its teachers' when it began (epoch 0), and was allowed. */
export const changesSchema = z
  .array(
    z.looseObject({
      epoch: numberSchema,
      what: textsSchema,
      /** Of the data until then, which checkpoints from then name. */
      data: textSchema.exactOptional(),
      /** Of the settings until then, in the same way. */
      settings: textSchema.exactOptional(),
    }),
  )
  .describe('a list of { epoch, what, data, settings }');

/** What was other, and was allowed. */
export type RunChanges = Immutable<z.output<typeof changesSchema>>;

/** In what two fingerprints differ, with both sides in words. */
export interface SplitDifference {
  /** `'classes'`, `'samples'`, `'ids'`, `'labels'` or `'contents of audio'`. */
  readonly what: string;
  readonly before: string;
  readonly now: string;
}

/**
 * In what two fingerprints of a split differ: nothing where they are of the same data, as far as they can tell.
 *
 * Modalities that only one of them has, and contents or labels that were taken of different numbers of samples, are not compared. Where
 * the ids differ, nothing is said of labels and contents: they are of other samples.
 *
 * @example
 * const [difference] = splitDifferences(recorded, found);
 * if (difference) console.log(`${difference.what}: ${difference.before}, now ${difference.now}`);
 */
export function splitDifferences(before: SplitFingerprint, now: SplitFingerprint): SplitDifference[] {
  const found: SplitDifference[] = [];
  const classes = classDifference(before.classNames, now.classNames);
  if (classes) found.push(classes);
  if (before.size !== now.size)
    return [...found, { what: 'samples', before: String(before.size), now: String(now.size) }];
  if (before.ids !== now.ids) return [...found, { what: 'ids', before: idWords(before), now: idWords(now) }];
  const add = (what: string, one: Counted, two: Counted | undefined): void => {
    if (two && one.count === two.count && one.sha256 !== two.sha256)
      found.push({ what, before: checksumWords(one.sha256), now: checksumWords(two.sha256) });
  };
  // Labels of another order of classes are other labels, and that is said already.
  if (!classes) add('labels', before.labels, now.labels);
  for (const [modality, counted] of Object.entries(before.contents))
    add(`contents of ${modality}`, counted, ownValue(now.contents, modality));
  return found;
}

type Counted = SplitFingerprint['labels'];

/** In what two lists of classes differ: their order is what class ids mean. */
export function classDifference(
  before: readonly string[],
  now: readonly string[],
): SplitDifference | undefined {
  const at = Array.from(
    { length: Math.max(before.length, now.length) },
    (_, id) => before[id] === now[id],
  ).indexOf(false);
  if (at === -1) return undefined;
  return { what: 'classes', before: classWords(before, at), now: classWords(now, at) };
}

const SHOWN = 8;

/** A list of classes, the long ones from the first that differs on. */
function classWords(names: readonly string[], from: number): string {
  if (names.length === 0) return 'none';
  const start = names.length <= SHOWN ? 0 : Math.min(from, names.length - 1);
  const shown = names.slice(start, start + SHOWN).map((name) => JSON.stringify(name));
  const more = start + SHOWN < names.length ? ', …' : '';
  const where = start > 0 ? `from class ${start} of ${names.length} on ` : '';
  return `${where}${shown.join(', ')}${more}`;
}

const idWords = ({ ids, firstIds, size }: SplitFingerprint): string =>
  `${firstIds.map((id) => JSON.stringify(id)).join(', ')}${size > firstIds.length ? ', …' : ''} (${checksumWords(ids)})`;

/** As much of a checksum as people compare. */
export const checksumWords = (sha256: string): string => `sha256 ${sha256.slice(0, 12)}…`;

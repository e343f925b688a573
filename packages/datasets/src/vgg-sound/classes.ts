import { DatasetNotFoundError, OptionError } from '@g2d/core';
import { firstOf } from '../clips/clip-dataset.js';
import { findClips, type ClipRules } from '../clips/find-clips.js';
import { checkOneOf } from '../clips/options.js';
import type { Split } from '@g2d/core';
import { labelsOf, VGG_SOUND_HOW_TO_GET, type VggSoundClip } from './clips.js';

/** Which class has which id; see `VggSoundOptions`. */
type ClassOrder = 'sorted' | 'csv' | 'usable' | readonly string[];

interface ClassesOptions {
  readonly root: string;
  readonly split: Split;
  /** All clips of the table, in its order. */
  readonly listed: readonly VggSoundClip[];
  /** The clips of the split that is opened whose files are there. */
  readonly usable: readonly VggSoundClip[];
  readonly rules: ClipRules;
}

interface Classes {
  readonly names: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * The classes by id.
 *
 * @throws {DatasetNotFoundError} If the test split is opened and one of its classes has no training clip. Not for a given list.
 */
export function classesOf(
  order: ClassOrder,
  { root, split, listed, usable, rules }: ClassesOptions,
): Classes {
  if (typeof order !== 'string') return { names: order, warnings: [] };
  const training = listed.filter(({ row }) => row.part === 'train');
  if (order !== 'usable') {
    if (split === 'test') assertTrainable(root, untrainable(labelsOf(usable), training, rules));
    const names = labelsOf(listed);
    return { names: order === 'sorted' ? [...names].sort() : names, warnings: [] };
  }
  const testing = listed.filter(({ row }) => row.part === 'test');
  const names = labelsOf(findClips(training, rules).usable);
  const tested = labelsOf(split === 'test' ? usable : findClips(testing, rules).usable);
  const untrained = tested.filter((label) => !names.includes(label));
  if (split === 'test') assertTrainable(root, untrained);
  // The released code stops if train and test have unequal numbers of classes, and does not say which.
  const warn = (labels: readonly string[], part: string): readonly string[] =>
    labels.length === 0
      ? []
      : [`VGGSound: no usable ${part} clip of some classes (${labels.length}: ${firstOf(labels)}).`];
  const untested = names.filter((label) => !tested.includes(label));
  return { names, warnings: [...warn(untrained, 'training'), ...warn(untested, 'test')] };
}

/** @throws {OptionError} If it is none of the orders, or a list that is empty or has a label twice. */
export function checkClassOrder(order: ClassOrder): void {
  if (typeof order === 'string') return checkOneOf('classes', order, ['sorted', 'csv', 'usable']);
  if (order.length > 0 && new Set(order).size === order.length) return;
  throw new OptionError(`\`classes\` lists ${order.length} labels; expected at least one, and none twice.`, {
    option: 'classes',
    value: order,
    accepted: 'distinct labels',
  });
}

/** Stops looking at a class's clips as soon as one can be used. */
function untrainable(
  labels: readonly string[],
  training: readonly VggSoundClip[],
  rules: ClipRules,
): readonly string[] {
  const byLabel = new Map<string, VggSoundClip[]>(labels.map((label) => [label, []]));
  for (const clip of training) byLabel.get(clip.row.label)?.push(clip);
  return labels.filter(
    (label) => !byLabel.get(label)?.some((clip) => findClips([clip], rules).usable.length > 0),
  );
}

function assertTrainable(root: string, untrained: readonly string[]): void {
  if (untrained.length === 0) return;
  throw new DatasetNotFoundError({
    dataset: 'VGGSound',
    root,
    missing: untrained.map((label) => `a usable training clip of "${label}"`),
    howToGet: `To test without the training clips, give \`classes\` as the list of labels. ${VGG_SOUND_HOW_TO_GET}`,
  });
}

import { checkKeys } from '@g2d/core';
import { join } from 'node:path';
import { checkClips, Problems, reasonOf } from '../clips/check-clips.js';
import { findClips } from '../clips/find-clips.js';
import type { DatasetCheck } from '@g2d/core';
import type { VggSoundOptions } from './options.js';
import {
  labelsOf,
  VGG_SOUND_HOW_TO_GET,
  VGG_SOUND_LICENCE,
  vggSoundClips,
  vggSoundRules,
  vggSoundTable,
  type VggSoundClip,
} from './clips.js';

/** Settings of `checkVggSound`. */
export interface CheckVggSoundOptions extends Pick<VggSoundOptions, 'csv' | 'framesPerSecond' | 'frames'> {
  /** Called now and then with the part done, in [0, 1]. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** The clips of the full package; the table names 291 more, which nobody has. */
const EXPECTED = { train: 183_730, test: 15_446, classes: 309 } as const;

/**
 * Looks through a folder of VGGSound: the files of every clip that the table names, the head of each sound, and the frames that training
 * takes of it, which are decoded. The full set takes some ten minutes.
 *
 * @param folder As `root` of `vggSound`. It may be incomplete, or not there.
 * @example
 * const { asPublished, problems } = await checkVggSound('data/vggsound');
 */
export async function checkVggSound(
  folder: string,
  options: CheckVggSoundOptions = {},
): Promise<DatasetCheck> {
  checkKeys(options, { onProgress: true, csv: true, framesPerSecond: true, frames: true }, 'checkVggSound');
  const { onProgress, frames = 3 } = options;
  const problems = new Problems();
  const listed = readClips(folder, options, problems);
  const rules = vggSoundRules(frames);
  const good = { train: [] as readonly VggSoundClip[], test: [] as readonly VggSoundClip[] };
  let broken = 0;
  let looked = 0;
  for (const part of ['train', 'test'] as const) {
    const ofPart = listed.filter(({ row }) => row.part === part);
    const clips = findClips(ofPart, rules);
    good[part] = await checkClips({
      listed: ofPart,
      found: clips,
      videoOf: ({ id }) => join(folder, 'video', `${id}.mp4`),
      problems,
      onClip() {
        if (++looked % 1000 === 0) onProgress?.(looked / listed.length);
      },
    });
    broken += clips.usable.length - good[part].length;
  }
  const train = labelsOf(good.train);
  const test = labelsOf(good.test);
  const differing = [
    ...test.filter((label) => !train.includes(label)).map((label) => `${label}: no training clip`),
    ...train.filter((label) => !test.includes(label)).map((label) => `${label}: no test clip`),
  ];
  if (differing.length > 0) problems.addAll('class in one split only', differing);
  const found = { train: good.train.length, test: good.test.length, classes: train.length };
  return {
    dataset: 'VGGSound',
    folder,
    licence: VGG_SOUND_LICENCE,
    howToGet: VGG_SOUND_HOW_TO_GET,
    expected: EXPECTED,
    found,
    problems: problems.list(),
    asPublished:
      broken === 0 &&
      differing.length === 0 &&
      found.train >= EXPECTED.train &&
      found.test >= EXPECTED.test &&
      found.classes === EXPECTED.classes,
  };
}

function readClips(root: string, options: CheckVggSoundOptions, problems: Problems): readonly VggSoundClip[] {
  try {
    const { rows, ignored } = vggSoundTable({ ...options, root });
    if (rows.length === 0) problems.add('table that cannot be used', 'no line names a clip');
    if (ignored.length > 0) problems.addAll('in another split than train and test, or named twice', ignored);
    return vggSoundClips(rows, { ...options, root });
  } catch (error) {
    problems.add('table that cannot be used', reasonOf(error));
    return [];
  }
}

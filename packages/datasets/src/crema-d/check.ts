import { checkKeys } from '@g2d/core';
import { basename, join } from 'node:path';
import { checkClips, Problems, reasonOf } from '../clips/check-clips.js';
import { EMPTY_SOUND, findClips, NEITHER, NO_FOLDER, NO_FRAME, NO_SOUND } from '../clips/find-clips.js';
import { CREMA_D_HOW_TO_GET, CREMA_D_LICENCE, cremaDClips, cremaDSplit, cremaDRules } from './open.js';
import { PUBLISHED_LISTS } from '../published-lists.js';
import type { CremaDOptions } from './options.js';
import type { SplitClips } from './splits.js';
import type { DatasetCheck } from '@g2d/core';

/** Settings of `checkCremaD`. */
export interface CheckCremaDOptions extends Pick<CremaDOptions, 'framesPerSecond' | 'frames'> {
  /** Called now and then with the part done, in [0, 1]. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

const EXPECTED = { train: 6698, test: 744, sounds: 7442, 'frame folders': 7442 } as const;
/** Named as broken in the dataset's own description; all in the training list. Nobody has more of them than was published. */
const KNOWN_BROKEN = new Set(['1064_IEO_DIS_MD', '1064_TIE_SAD_XX', '1076_MTI_NEU_XX', '1076_MTI_SAD_XX']);
const KNOWN = 'broken in the published dataset itself';

/**
 * Looks through a folder of CREMA-D: the files of all 7,442 clips, the head of each sound, and the frame that training takes of each clip,
 * which is decoded. It takes about a minute.
 *
 * The splits are the two lists, without a validation split. `asPublished` puts up with the four clips that the dataset's description
 * calls broken.
 *
 * @param folder As `root` of `cremaD`. It may be incomplete, or not there.
 * @example
 * const { asPublished, problems } = await checkCremaD('data/crema-d');
 */
export async function checkCremaD(folder: string, options: CheckCremaDOptions = {}): Promise<DatasetCheck> {
  checkKeys(options, { onProgress: true, framesPerSecond: true, frames: true }, 'checkCremaD');
  const { onProgress, frames = 1, framesPerSecond = 1 } = options;
  const problems = new Problems();
  const rules = cremaDRules(frames);
  const found = { train: 0, test: 0, sounds: 0, 'frame folders': 0 };
  let known = 0;
  let looked = 0;
  for (const split of ['train', 'test'] as const) {
    const { rows, warnings } = readSplit(folder, split, problems);
    if (rows.length !== EXPECTED[split]) {
      problems.add(
        'list that is not the published one',
        `${split}: ${rows.length} clips instead of ${EXPECTED[split]}`,
      );
    }
    if (split === 'test') for (const warning of warnings) problems.add('clip in both splits', warning);
    const listed = cremaDClips(rows, { root: folder, framesPerSecond });
    const clips = findClips(listed, rules);
    const without = (...reasons: readonly string[]): number =>
      reasons.reduce((sum, reason) => sum + (clips.dropped[reason]?.length ?? 0), 0);
    found.sounds += rows.length - without(NO_SOUND, NEITHER, EMPTY_SOUND);
    found['frame folders'] += rows.length - without(NO_FOLDER, NEITHER, NO_FRAME);
    const dropped = splitKnown(clips.dropped);
    known += dropped[KNOWN]?.length ?? 0;
    const good = await checkClips({
      listed,
      found: { usable: clips.usable, dropped },
      videoOf: ({ id }) => join(folder, 'VideoFlash', `${id}.flv`),
      knownBroken: KNOWN_BROKEN,
      problems,
      onClip() {
        if (++looked % 100 === 0) onProgress?.(Math.min(1, looked / EXPECTED.sounds));
      },
    });
    found[split] = good.length;
  }
  const others = problems.list().filter(({ reason }) => reason !== KNOWN);
  return {
    dataset: 'CREMA-D',
    folder,
    licence: CREMA_D_LICENCE,
    howToGet: CREMA_D_HOW_TO_GET,
    expected: EXPECTED,
    found,
    problems: problems.list(),
    asPublished:
      others.length === 0 && found.test === EXPECTED.test && found.train + known === EXPECTED.train,
  };
}

function readSplit(root: string, split: 'train' | 'test', problems: Problems): SplitClips {
  try {
    return cremaDSplit({ root, split, official: true });
  } catch (error) {
    // Both splits need both lists: said once.
    const reason = 'list that cannot be used';
    if (!problems.has(reason)) problems.add(reason, `${basename(root)}: ${reasonOf(error)}`);
    // The clips are looked for all the same.
    const published = {
      by: 'list',
      train: join(PUBLISHED_LISTS, 'train.csv'),
      test: join(PUBLISHED_LISTS, 'test.csv'),
    } as const;
    return cremaDSplit({ root, split, official: true, splits: published });
  }
}

/** The clips that everybody lacks, under a reason of their own. */
function splitKnown(dropped: Readonly<Record<string, readonly string[]>>): Record<string, readonly string[]> {
  const all = Object.entries(dropped).flatMap(([, ids]) => ids);
  const known = all.filter((id) => KNOWN_BROKEN.has(id));
  const others = Object.entries(dropped)
    .map(([reason, ids]) => [reason, ids.filter((id) => !KNOWN_BROKEN.has(id))] as const)
    .filter(([, ids]) => ids.length > 0);
  return { ...Object.fromEntries(others), ...(known.length > 0 && { [KNOWN]: known }) };
}

import { existsSync } from 'node:fs';
import { defineDataset, G2DError, type DatasetCheck } from '@g2d/core';
import { HOW_TO_GET, LICENCE, MODALITIES, openWatch, watchOptions } from './watch/open.js';
import { readRecordings, RECORDINGS, SUBJECTS, watchFile } from './watch/recordings.js';

/**
 * Watch: which of seven shoulder exercises somebody does, from the acceleration and the rotation of a smartwatch; the repository has
 * the file. 140 recordings of 10 subjects, cut into windows; no subject is in two splits.
 *
 * `acceleration` and `rotation` `[steps, 3]`, 50 steps a second: (x − mean) / std of each axis, with mean and population standard
 * deviation of the training subjects.
 *
 * @throws {DatasetNotFoundError} If the file is missing.
 * @throws {FileFormatError} If it is not the repository's; the message says what is other.
 * @throws {OptionError} If an option has a value that is not accepted.
 * @example
 * const train = await watch({ root: 'data/watch', split: 'train', steps: 100 });
 * @see D. M. Burns and others, "Shoulder physiotherapy exercise recognition", 2018, arXiv:1802.01489; seglearn 1.2.5, `load_watch`
 */
export const watch = defineDataset({
  name: 'watch',
  label: 'Watch',
  summary:
    'seven shoulder exercises from a watch’s acceleration and rotation, real and shipped: windows of 140 recordings, split by subject',
  source: {
    paper: 'Burns et al., Shoulder physiotherapy exercise recognition, 2018',
    code: 'dmbee/seglearn 1.2.5, load_watch',
  },
  task: 'classification',
  modalities: MODALITIES,
  options: watchOptions,
  open: openWatch,
  check: ({ root }) => checkWatch(root),
  views: { acceleration: { kind: 'sequence' }, rotation: { kind: 'sequence' } },
});

async function checkWatch(folder: string): Promise<DatasetCheck> {
  const path = watchFile(folder);
  let problem: { readonly reason: string; readonly ids: readonly string[] } | undefined;
  let found = { recordings: 0, subjects: 0 };
  if (!existsSync(path)) problem = { reason: 'file missing', ids: [path] };
  else {
    try {
      const recordings = readRecordings(folder);
      const subjects = new Set(recordings.map(({ subject }) => subject));
      found = { recordings: recordings.length, subjects: subjects.size };
    } catch (error) {
      const ids = [G2DError.isInstance(error) ? error.message : String(error)];
      problem = { reason: 'file that cannot be used', ids };
    }
  }
  return {
    dataset: 'Watch',
    folder,
    licence: LICENCE,
    howToGet: HOW_TO_GET,
    expected: { recordings: RECORDINGS, subjects: SUBJECTS },
    found,
    problems: problem ? [problem] : [],
    asPublished: problem === undefined,
  };
}

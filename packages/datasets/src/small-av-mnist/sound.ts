import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatasetNotFoundError, FileFormatError, OptionError, checkKeys } from '@g2d/core';
import { parseJson } from '@g2d/core/run-folder';
import { mixNoise } from '../transforms/mix-noise.js';
import type { SmallAvMnistPair } from './pairs.js';
import { SAMPLE_RATE } from './recipe.js';
import { readSounds } from './sources.js';

/** Row → what it was made from, for both files of rows. */
export type PairIndex = Readonly<Record<'train' | 'test', readonly SmallAvMnistPair[]>>;

/** One sound of the small AV-MNIST. */
export interface SmallAvMnistSound {
  /** The spoken digit in its noise, mono. Not clipped: values may leave [−1, 1]. */
  readonly samples: Float32Array;
  /** 8,000 Hz. */
  readonly sampleRate: number;
  /** What it was made from. */
  readonly pair: SmallAvMnistPair;
}

/**
 * The very sound behind a row of the small AV-MNIST: recording + scaled noise, from which its spectrogram was made.
 *
 * @param options `sources`: the repository's `data` folder; `root`: where the small set was built; `id`: the sample's id,
 * such as `avmnist/train/123`.
 * @throws {DatasetNotFoundError} If the set has not been built.
 * @throws {OptionError} If there is no such sample.
 * @example
 * const { samples, sampleRate } = await smallAvMnistSound({ sources: 'data', root, id: batch.ids[0] });
 */
export async function smallAvMnistSound(options: {
  readonly sources: string;
  readonly root: string;
  readonly id: string;
}): Promise<SmallAvMnistSound> {
  const { sources, root, id } = checkKeys(
    options,
    { sources: true, root: true, id: true },
    'smallAvMnistSound',
  );
  const path = join(root, 'pairs.json');
  if (!existsSync(path)) {
    throw new DatasetNotFoundError({
      dataset: 'The small AV-MNIST',
      root,
      missing: ['pairs.json'],
      howToGet: 'Build it with `buildSmallAvMnist`.',
    });
  }
  const pairs = parseJson(readFileSync(path), { path }) as PairIndex;
  const match = /^avmnist\/(train|test)\/(\d+)$/.exec(id);
  const pair = match === null ? undefined : pairs[match[1] as 'train' | 'test'][Number(match[2])];
  if (pair === undefined) {
    throw new OptionError(`${path} has no sample "${id}".`, {
      option: 'id',
      value: id,
      accepted: `avmnist/train/0 to ${pairs.train.length - 1}, avmnist/test/0 to ${pairs.test.length - 1}`,
    });
  }
  const { speech, noise } = readSounds(sources, pair);
  const piece = noise.subarray(pair.offset, pair.offset + speech.length);
  if (piece.length < speech.length) {
    throw new FileFormatError(path, `sample "${id}" reaches beyond its noise clip; build the set again.`);
  }
  return { samples: mixNoise(speech, piece, pair.gain), sampleRate: SAMPLE_RATE, pair };
}

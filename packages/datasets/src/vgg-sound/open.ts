import { OptionError } from '@g2d/core';
import { deriveSeed, randomStream } from '@g2d/tensor-ops';
import { assertSomeClips, clipDataset, firstOf, type ClipDataset } from '../clips/clip-dataset.js';
import { findClips } from '../clips/find-clips.js';
import { frameFolderName } from '../clips/options.js';
import { readSound } from '../clips/read-sound.js';
import type { Split } from '@g2d/core';
import { splitByFraction } from '../splits.js';
import { logSpectrogram } from '../transforms/log-spectrogram.js';
import { clipToUnit, repeatedPiece } from '../transforms/waveform.js';
import { checkClassOrder, classesOf } from './classes.js';
import {
  VGG_SOUND_HOW_TO_GET,
  vggSoundClips,
  vggSoundRules,
  vggSoundTable,
  type VggSoundClip,
} from './clips.js';
import type { vggSoundOptions } from './options.js';
import type { z } from 'zod';

const RATE = 16_000;
const WHOLE_SECONDS = 10;
const PIECE = 80_000;
const LATEST_START = 80_000;
const SPECTROGRAM = { frameLength: 256, hop: 128 } as const;
/** Frequencies and times of the spectrogram of five seconds. */
const AUDIO_SHAPE = [129, 626, 1] as const;
export async function openVggSound(
  options: z.output<typeof vggSoundOptions> & { readonly split: Split },
): Promise<ClipDataset> {
  const { root, split, official, seed, frames, audioStart, padding } = options;
  const rules = vggSoundRules(frames);
  const { rows, path } = vggSoundTable(options);
  const listed = vggSoundClips(rows, options);
  const training = listed.filter(({ row }) => row.part === 'train');
  const testing = listed.filter(({ row }) => row.part === 'test');

  const { validation = official ? 0 : 0.1 } = options;
  if (official && validation !== 0) {
    throw new OptionError(
      `\`official\` has no validation split, as the released code has none, but \`validation\` is ${validation}. Leave out one of the two.`,
      { option: 'validation', value: validation, accepted: '0 with `official`' },
    );
  }
  const wanted = split === 'test' ? testing : trainingSplit(training, { split, validation, seed });
  const classes = options.classes ?? (official ? 'usable' : 'sorted');
  checkClassOrder(classes);
  const known = typeof classes === 'string' ? undefined : new Set(classes);
  const found = findClips(known ? wanted.filter(({ row }) => known.has(row.label)) : wanted, rules);
  const where = ['audio', `video/frames/…/${frameFolderName(options.framesPerSecond)}`];
  assertSomeClips(found, { dataset: 'VGGSound', root, where, howToGet: VGG_SOUND_HOW_TO_GET });

  const { names: classNames, warnings } = classesOf(classes, {
    root,
    split,
    listed,
    usable: found.usable,
    rules,
  });
  const idOf = new Map(classNames.map((name, id) => [name, id]));
  const dropped: Record<string, readonly string[]> = { ...found.dropped };
  const unknown = known ? wanted.filter(({ row }) => !known.has(row.label)) : [];
  if (unknown.length > 0) dropped['label not among `classes`'] = unknown.map(({ id }) => id);
  return clipDataset({
    name: 'vgg-sound',
    split,
    classNames,
    clips: {
      usable: found.usable.map(({ row, ...clip }) => ({ ...clip, label: idOf.get(row.label) as number })),
      dropped,
    },
    warnings: [...leaks(path, training, testing), ...warnings],
    source: { module: '@g2d/datasets', name: 'vgg-sound', options },
    frames,
    audio: {
      shape: AUDIO_SHAPE,
      augmented: audioStart === undefined,
      preprocessing: {
        from: `${PIECE} samples of mono sound, repeated where it is shorter, clipped to [−1, 1]; ln(|STFT| + 1e-7) with frames of ${SPECTROGRAM.frameLength} samples (periodic Hann), a hop of ${SPECTROGRAM.hop}, padding ${padding}`,
        sampleRate: RATE,
      },
      async read({ id, sound }, random = randomStream(deriveSeed(seed, `crop/${id}`))) {
        const samples = await readSound(sound, { rate: RATE, seconds: WHOLE_SECONDS });
        const start = audioStart ?? random.integer(LATEST_START + 1);
        return logSpectrogram(clipToUnit(repeatedPiece(samples, { start, length: PIECE })), {
          ...SPECTROGRAM,
          padding,
        });
      },
    },
  });
}

function trainingSplit(
  clips: readonly VggSoundClip[],
  { split, validation, seed }: { readonly split: Split; readonly validation: number; readonly seed: number },
): readonly VggSoundClip[] {
  if (validation === 0 && split === 'train') return clips;
  if (validation === 0) {
    throw new OptionError(
      '`validation` is 0, so there is no validation split. Give its share of the training clips (0.1), or open "test".',
      { option: 'validation', value: 0, accepted: 'more than 0 for the validation split' },
    );
  }
  const drawn = splitByFraction(
    clips.map(({ id }) => id),
    {
      fractions: { train: 1 - validation, validation },
      seed,
      // The YouTube id, which may hold "_" itself.
      groupOf: (id) => id.slice(0, id.lastIndexOf('_')),
    },
  );
  const ids = new Set<string>(drawn[split as 'train' | 'validation']);
  return clips.filter(({ id }) => ids.has(id));
}

/** Clips in both splits: what is measured on one of them would be too good. */
function leaks(
  path: string,
  training: readonly VggSoundClip[],
  testing: readonly VggSoundClip[],
): readonly string[] {
  const ids = new Set(training.map(({ id }) => id));
  const both = testing.map(({ id }) => id).filter((id) => ids.has(id));
  if (both.length === 0) return [];
  return [
    `VGGSound: ${path} has the same clips in train and test (${both.length}: ${firstOf(both)}): the splits are not apart.`,
  ];
}

import { OptionError } from '@g2d/core';
import { deriveSeed, randomStream } from '@g2d/tensor-ops';
import { assertSomeClips, clipDataset, firstOf, type ClipDataset } from './clips/clip-dataset.js';
import { findClips } from './clips/find-clips.js';
import { checkOneOf, checkShare, checkWhole, frameFolderName } from './clips/options.js';
import { readSound } from './clips/read-sound.js';
import type { Split } from '@g2d/core';
import { splitByFraction } from './splits.js';
import { logSpectrogram, type LogSpectrogramOptions } from './transforms/log-spectrogram.js';
import { clipToUnit, repeatedPiece } from './transforms/waveform.js';
import { checkClassOrder, classesOf, type ClassOrder } from './vgg-sound/classes.js';
import {
  VGG_SOUND_HOW_TO_GET,
  vggSoundClips,
  vggSoundRules,
  vggSoundTable,
  type VggSoundClip,
} from './vgg-sound/clips.js';

/** Settings of `vggSound`. */
export interface VggSoundOptions {
  /** The folder that holds the table, `audio/{train,test}/{stem}.wav` and `video/frames/{train,test}/Image-01-FPS/{stem}/*.jpg`. */
  readonly root: string;
  readonly split: Split;
  /** As the released G2D code: classes in the order `'usable'`, no validation part. Default false. */
  readonly faithful?: boolean;
  /** The table, with or without a header; a relative path is under `root`. Default `vggsound.csv`. */
  readonly csv?: string;
  /**
   * Which class has which id. `'sorted'` (default): all labels of the table, sorted. `'csv'`: in the order in which the table first names
   * them. `'usable'` (faithful): as `'csv'`, but among the training clips whose files are there, so that it changes with the files.
   * Or the labels themselves, such as a checkpoint's: clips with other labels are left out.
   */
  readonly classes?: ClassOrder;
  /** The share of the training clips that is drawn for validation; what is cut from one video stays together. Default 0.1; faithful: 0. */
  readonly validation?: number;
  /** Of that draw, and of where the sound of a sample begins when it is not augmented. Default 0. */
  readonly seed?: number;
  /** At how many frames a second the frames were extracted: the number in the folder's name. Default 1. */
  readonly framesPerSecond?: number;
  /** How many frames are taken of each clip. Default 3. Clips with fewer, or with fewer than 4, are left out. */
  readonly frames?: number;
  /** Where the five seconds of sound begin, 0 to 80,000 samples. Default: drawn for each sample. */
  readonly audioStart?: number;
  /** Around the sound, for its spectrogram. Default `'zeros'`; librosa before 0.9 had `'reflect'`. */
  readonly padding?: NonNullable<LogSpectrogramOptions['padding']>;
}

const RATE = 16_000;
const WHOLE_SECONDS = 10;
const PIECE = 80_000;
const LATEST_START = 80_000;
const SPECTROGRAM = { frameLength: 256, hop: 128 } as const;
/** Frequencies and times of the spectrogram of five seconds. */
const AUDIO_SHAPE = [129, 626, 1] as const;
/**
 * VGGSound: ten-second clips of videos, by what is heard in them; 309 classes.
 *
 * `audio` `[129, 626, 1]`: at 16,000 Hz, repeated if it is shorter than ten seconds, five seconds of it from a start that is drawn from
 * 0 to 80,000, ln(|STFT| + 1e-7). The start comes from `random`, or from the seed and the sample's id; the released code draws it anew each
 * time, for tests too. `video` `[T, 224, 224, 3]`: the frames that the released code draws of each clip, in the order drawn, resized; with
 * `random` a random resized crop and flip of each.
 *
 * A clip is left out, and named in `dropped`, if its sound is missing or empty, or there are too few frames.
 *
 * @throws {DatasetNotFoundError} If the table is missing, no clip is left, or a class of the test part has no training clip; the
 * message says how to get the data.
 * @throws {FileFormatError} If the table cannot be used (it names the line); reading a sample throws it for a damaged file.
 * @throws {OptionError} If an option has a value that is not accepted, or there is no such part.
 * @example
 * const train = await vggSound({ root: 'data/vggsound', split: 'train' });
 * train.classNames.length; // 309
 * @see G2D, Sec. 4.1; Chen et al., VGGSound (2020)
 */
export async function vggSound(options: VggSoundOptions): Promise<ClipDataset> {
  const { root, split, faithful = false, seed = 0, frames = 3, audioStart, padding = 'zeros' } = options;
  checkOneOf('split', split, ['train', 'validation', 'test']);
  checkOneOf('padding', padding, ['zeros', 'reflect']);
  if (audioStart !== undefined) checkWhole('audioStart', audioStart, 0, LATEST_START);
  const rules = vggSoundRules(frames);
  const { rows, path } = vggSoundTable(options);
  const listed = vggSoundClips(rows, options);
  const training = listed.filter(({ row }) => row.part === 'train');
  const testing = listed.filter(({ row }) => row.part === 'test');

  const { validation = faithful ? 0 : 0.1 } = options;
  if (faithful && validation !== 0) {
    throw new OptionError(
      `\`faithful\` has no validation part, as the released code has none, but \`validation\` is ${validation}. Leave out one of the two.`,
      { option: 'validation', value: validation, accepted: '0 with `faithful`' },
    );
  }
  const wanted = split === 'test' ? testing : trainingPart(training, { split, validation, seed });
  const classes = options.classes ?? (faithful ? 'usable' : 'sorted');
  checkClassOrder(classes);
  const known = typeof classes === 'string' ? undefined : new Set(classes);
  const found = findClips(known ? wanted.filter(({ row }) => known.has(row.label)) : wanted, rules);
  const where = ['audio', `video/frames/…/${frameFolderName(options.framesPerSecond ?? 1)}`];
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
    source: { module: '@g2d/datasets', name: 'vggSound', options },
    frames,
    audio: {
      shape: AUDIO_SHAPE,
      augmented: audioStart === undefined,
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

function trainingPart(
  clips: readonly VggSoundClip[],
  { split, validation, seed }: { readonly split: Split; readonly validation: number; readonly seed: number },
): readonly VggSoundClip[] {
  checkShare('validation', validation);
  if (validation === 0 && split === 'train') return clips;
  if (validation === 0) {
    throw new OptionError(
      '`validation` is 0, so there is no validation part. Give its share of the training clips (0.1), or open "test".',
      { option: 'validation', value: 0, accepted: 'more than 0 for the validation part' },
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

/** Clips in both parts: what is measured on one of them would be too good. */
function leaks(
  path: string,
  training: readonly VggSoundClip[],
  testing: readonly VggSoundClip[],
): readonly string[] {
  const ids = new Set(training.map(({ id }) => id));
  const both = testing.map(({ id }) => id).filter((id) => ids.has(id));
  if (both.length === 0) return [];
  return [
    `VGGSound: ${path} has the same clips in train and test (${both.length}: ${firstOf(both)}): the parts are not apart.`,
  ];
}

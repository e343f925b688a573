import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OptionError } from '@g2d/core';
import { assertSomeClips, clipDataset, type ClipDataset, type LabelledClip } from './clips/clip-dataset.js';
import { findClips } from './clips/find-clips.js';
import { checkOneOf, checkWhole, frameFolderName } from './clips/options.js';
import { readSound } from './clips/read-sound.js';
import { EMOTIONS } from './crema-d/list.js';
import { clipsOfPart, type CremaDParts, type Part } from './crema-d/parts.js';
import type { Split } from '@g2d/core';
import { logSpectrogram, type LogSpectrogramOptions } from './transforms/log-spectrogram.js';
import { clipToUnit, repeatedPiece } from './transforms/waveform.js';

/** Settings of `cremaD`. */
export interface CremaDOptions {
  /** The folder that holds `AudioWAV/{stem}.wav` and `Image-01-FPS/{stem}/*.jpg`. */
  readonly root: string;
  readonly split: Split;
  /** As the released G2D code: no validation part, all of the training list trains. Default false. */
  readonly faithful?: boolean;
  /** How the clips are divided. Default: by the published lists, a tenth of the training list for validation. */
  readonly parts?: CremaDParts;
  /** At how many frames a second the frames were extracted: the number in the folder's name. Default 1. */
  readonly framesPerSecond?: number;
  /** How many frames are taken of each clip. Default 1. Clips with fewer are left out. */
  readonly frames?: number;
  /** Around the sound, for its spectrogram. Default `'zeros'`; librosa before 0.9 had `'reflect'`. */
  readonly padding?: NonNullable<LogSpectrogramOptions['padding']>;
}

export const CREMA_D_LICENCE = 'Open Database License 1.0; its contents: Database Contents License 1.0';
export const CREMA_D_HOW_TO_GET =
  'CREMA-D is the GitHub repository CheyneyComputerScience/CREMA-D: clone it with Git LFS, of which AudioWAV and VideoFlash are ' +
  'needed, and extract one frame a second of each video to Image-01-FPS/{stem}/{frame:05d}.jpg (`g2d data prepare`). ' +
  `Licence: ${CREMA_D_LICENCE}.`;

const RATE = 22_050;
const SECONDS = 3;
const SPECTROGRAM = { frameLength: 512, hop: 353 } as const;
/** Frequencies and times of the spectrogram of three seconds. */
const AUDIO_SHAPE = [257, 188, 1] as const;
/** Up to October 2022 it was distributed under a name that misses its last letter. */
const MISNAMED = '1040_ITH_SAD_XX';

/**
 * CREMA-D: actors who say a sentence in one of six emotions, as sound and video.
 *
 * `audio` `[257, 188, 1]`: at 22,050 Hz, repeated to three seconds, ln(|STFT| + 1e-7). `video` `[T, 224, 224, 3]`: the frames that the
 * released code draws of each clip, resized; with `random` a random resized crop and flip of each. Classes are in the released code's
 * order: NEU, HAP, SAD, FEA, DIS, ANG.
 *
 * A clip is left out, and named in `dropped`, if its sound or its frames are missing. The released code repeats a sound three times
 * only, so that one below a second gives a narrower spectrogram; here it is repeated until there are three seconds.
 *
 * @throws {DatasetNotFoundError} If a list is missing or no clip is left; the message says how to get the data.
 * @throws {FileFormatError} If a list cannot be used (it names the line); reading a sample throws it for a damaged file.
 * @throws {OptionError} If an option has a value that is not accepted, or there is no such part.
 * @example
 * const train = await cremaD({ root: 'data/crema-d', split: 'train' });
 * const byActor = await cremaD({ root: 'data/crema-d', split: 'test', parts: { by: 'actor', seed: 1 } });
 * @see G2D, Sec. 4.1; Cao et al., CREMA-D (2014); the lists: Peng et al., OGM-GE (2022)
 */
export async function cremaD(options: CremaDOptions): Promise<ClipDataset> {
  const { root, split, padding = 'zeros', frames = 1 } = options;
  checkOneOf('split', split, ['train', 'validation', 'test']);
  checkOneOf('padding', padding, ['zeros', 'reflect']);
  const { rows, warnings } = cremaDPart(options);
  const clips = findClips(cremaDClips(rows, options), cremaDRules(frames));
  const where = ['AudioWAV', frameFolderName(options.framesPerSecond ?? 1)];
  assertSomeClips(clips, { dataset: 'CREMA-D', root, where, howToGet: CREMA_D_HOW_TO_GET });
  return clipDataset({
    name: 'crema-d',
    split,
    classNames: EMOTIONS,
    clips,
    warnings,
    source: { module: '@g2d/datasets', name: 'cremaD', options },
    frames,
    audio: {
      shape: AUDIO_SHAPE,
      augmented: false,
      async read({ sound }) {
        const samples = await readSound(sound, { rate: RATE, seconds: SECONDS });
        const piece = repeatedPiece(samples, { length: SECONDS * RATE });
        return logSpectrogram(clipToUnit(piece), { ...SPECTROGRAM, padding });
      },
    },
  });
}

/** The clips that belong to a part, whether their files are there or not. */
export function cremaDPart({ root, split, faithful = false, parts = { by: 'list' } }: CremaDOptions): Part {
  if (faithful && (parts.by !== 'list' || (parts.validation ?? 0) !== 0)) {
    throw new OptionError(
      '`faithful` divides the clips as the released code does, by two lists without a validation part; `parts` asks for something ' +
        'else. Leave out one of the two.',
      { option: 'parts', value: parts, accepted: "with `faithful`: { by: 'list', train, test }" },
    );
  }
  const withShare = parts.by === 'list' ? { validation: faithful ? 0 : 0.1, ...parts } : parts;
  return clipsOfPart({
    root,
    split,
    parts: withShare,
    published: PUBLISHED_LISTS,
    howToGet: CREMA_D_HOW_TO_GET,
  });
}

/** The folder of OGM-GE's two lists. From `src/` and from `dist/` alike, since the sources are published. */
export const PUBLISHED_LISTS = fileURLToPath(new URL('../src/crema-d/published', import.meta.url));

/** Where the files of listed clips should be. */
export function cremaDClips(
  rows: Part['rows'],
  { root, framesPerSecond = 1 }: Pick<CremaDOptions, 'root' | 'framesPerSecond'>,
): readonly LabelledClip[] {
  const sounds = join(root, 'AudioWAV');
  const frames = join(root, frameFolderName(framesPerSecond));
  return rows.map(({ stem, label }) => {
    const file = (folder: string, ending: string): string => {
      const path = join(folder, `${stem}${ending}`);
      const old = join(folder, `${MISNAMED.slice(0, -1)}${ending}`);
      return stem === MISNAMED && !existsSync(path) && existsSync(old) ? old : path;
    };
    return { id: stem, label, sound: file(sounds, '.wav'), frameFolder: file(frames, '') };
  });
}

export function cremaDRules(frames: number): { readonly frames: number; readonly fewestFrames: number } {
  checkWhole('frames', frames, 1, 1000);
  return { frames, fewestFrames: frames };
}

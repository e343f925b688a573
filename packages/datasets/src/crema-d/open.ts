import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OptionError } from '@g2d/core';
import { assertSomeClips, clipDataset, type ClipDataset, type LabelledClip } from '../clips/clip-dataset.js';
import { findClips } from '../clips/find-clips.js';
import { frameFolderName } from '../clips/options.js';
import { readSound } from '../clips/read-sound.js';
import { EMOTIONS } from './list.js';
import { PUBLISHED_LISTS } from '../published-lists.js';
import type { cremaDOptions, CremaDOptions } from './options.js';
import { clipsOfSplit, type SplitClips } from './splits.js';
import type { Split } from '@g2d/core';
import { logSpectrogram } from '../transforms/log-spectrogram.js';
import { clipToUnit, repeatedPiece } from '../transforms/waveform.js';
import type { z } from 'zod';

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

export async function openCremaD(
  options: z.output<typeof cremaDOptions> & { readonly split: Split },
): Promise<ClipDataset> {
  const { root, split, padding, frames } = options;
  const { rows, warnings } = cremaDSplit(options);
  const clips = findClips(cremaDClips(rows, options), cremaDRules(frames));
  const where = ['AudioWAV', frameFolderName(options.framesPerSecond)];
  assertSomeClips(clips, { dataset: 'CREMA-D', root, where, howToGet: CREMA_D_HOW_TO_GET });
  return clipDataset({
    name: 'crema-d',
    split,
    classNames: EMOTIONS,
    clips,
    warnings,
    source: { module: '@g2d/datasets', name: 'crema-d', options },
    frames,
    audio: {
      shape: AUDIO_SHAPE,
      augmented: false,
      preprocessing: {
        from: `mono sound repeated to ${SECONDS} seconds, clipped to [−1, 1]; ln(|STFT| + 1e-7) with frames of ${SPECTROGRAM.frameLength} samples (periodic Hann), a hop of ${SPECTROGRAM.hop}, padding ${padding}`,
        sampleRate: RATE,
      },
      async read({ sound }) {
        const samples = await readSound(sound, { rate: RATE, seconds: SECONDS });
        const piece = repeatedPiece(samples, { length: SECONDS * RATE });
        return logSpectrogram(clipToUnit(piece), { ...SPECTROGRAM, padding });
      },
    },
  });
}

/** The clips that belong to a split, whether their files are there or not. */
export function cremaDSplit({
  root,
  split,
  official = false,
  splits = { by: 'list' },
}: CremaDOptions): SplitClips {
  if (official && (splits.by !== 'list' || (splits.validation ?? 0) !== 0)) {
    throw new OptionError(
      '`official` divides the clips as the released code does, by two lists without a validation split; `splits` asks for something ' +
        'else. Leave out one of the two.',
      { option: 'splits', value: splits, accepted: "with `official`: { by: 'list', train, test }" },
    );
  }
  const withShare = splits.by === 'list' ? { validation: official ? 0 : 0.1, ...splits } : splits;
  return clipsOfSplit({
    root,
    split,
    splits: withShare,
    published: PUBLISHED_LISTS,
    howToGet: CREMA_D_HOW_TO_GET,
  });
}

/** Where the files of listed clips should be. */
export function cremaDClips(
  rows: SplitClips['rows'],
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
  return { frames, fewestFrames: frames };
}

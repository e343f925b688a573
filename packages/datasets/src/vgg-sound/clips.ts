import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatasetNotFoundError } from '@g2d/core';
import type { ClipFiles, ClipRules } from '../clips/find-clips.js';
import { checkWhole, frameFolderName } from '../clips/options.js';
import { readVggSoundTable, type VggSoundRow } from './table.js';

export const VGG_SOUND_LICENCE = 'annotations CC BY 4.0; the videos belong to their owners';
export const VGG_SOUND_HOW_TO_GET =
  'VGGSound: the table vggsound.csv is in the GitHub repository hche11/VGGSound; the videos are on YouTube, and as 20 archives in the ' +
  'Hugging Face dataset Loie/VGGSound. Extract sound at 16,000 Hz and one frame a second of each (`g2d data prepare`). ' +
  `Licence: ${VGG_SOUND_LICENCE}.`;

/** The released code takes folders of more than three files. */
const FEWEST_FRAMES = 4;

/** A line of the table, with where its files should be. */
export interface VggSoundClip extends ClipFiles {
  readonly row: VggSoundRow;
}

/** The table's rows and its path. */
export function vggSoundTable({
  root,
  csv = 'vggsound.csv',
}: {
  readonly root: string;
  readonly csv?: string | undefined;
}): ReturnType<typeof readVggSoundTable> & { readonly path: string } {
  const path = resolve(root, csv);
  if (!existsSync(path)) {
    throw new DatasetNotFoundError({
      dataset: 'VGGSound',
      root,
      missing: [path],
      howToGet: VGG_SOUND_HOW_TO_GET,
    });
  }
  return { path, ...readVggSoundTable(path) };
}

/** Where the files of the table's clips should be. */
export function vggSoundClips(
  rows: readonly VggSoundRow[],
  { root, framesPerSecond = 1 }: { readonly root: string; readonly framesPerSecond?: number | undefined },
): readonly VggSoundClip[] {
  const folder = frameFolderName(framesPerSecond);
  return rows.map((row) => ({
    id: row.stem,
    row,
    sound: join(root, 'audio', row.part, `${row.stem}.wav`),
    frameFolder: join(root, 'video', 'frames', row.part, folder, row.stem),
  }));
}

export function vggSoundRules(frames: number): ClipRules {
  checkWhole('frames', frames, 1, 1000);
  return { frames, fewestFrames: Math.max(frames, FEWEST_FRAMES) };
}

/** In the order in which they first come. */
export const labelsOf = (clips: readonly VggSoundClip[]): readonly string[] => [
  ...new Set(clips.map(({ row }) => row.label)),
];

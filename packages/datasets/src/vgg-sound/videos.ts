import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatasetNotFoundError } from '@g2d/core';
import type { Clip } from '@g2d/core';
import { frameFolderName } from '../clips/options.js';
import { readVggSoundTable } from './table.js';

/** Where the published archives have them. */
const IN_ARCHIVE = 'scratch/shared/beegfs/hchen/train_data/VGGSound_final/video';

/**
 * VGGSound: `video/<id>_<start>.mp4` → `video/frames/<split>/Image-01-FPS/<id>_<start>/` and `audio/<split>/<id>_<start>.wav`, for
 * every row of `vggsound.csv`.
 *
 * @throws {DatasetNotFoundError} If the table or all videos are missing.
 * @throws {FileFormatError} If a line of the table has another form.
 */
export function vggSoundVideos(
  { root, csv }: { readonly root: string; readonly csv: string },
  {
    framesPerSecond,
    videos = videoFolder(root),
  }: { readonly framesPerSecond: number; readonly videos?: string },
): { readonly clips: readonly Clip[]; readonly withoutVideo: readonly string[] } {
  const table = resolve(root, csv);
  const there = new Set(existsSync(videos) ? readdirSync(videos) : []);
  const missing = [
    ...(existsSync(table) ? [] : [table]),
    ...([...there].some((name) => name.endsWith('.mp4')) ? [] : [join(videos, '*.mp4')]),
  ];
  if (missing.length > 0) {
    throw new DatasetNotFoundError({
      dataset: 'VGGSound',
      root,
      missing,
      howToGet:
        'vggsound.csv is in the GitHub repository hche11/VGGSound; the videos are 20 archives in the Hugging Face dataset ' +
        'Loie/VGGSound. Give another place of the .mp4 files with --videos DIR.',
    });
  }
  // A clip can be in both splits, where it has a folder each.
  const { rows } = readVggSoundTable(table);
  return {
    clips: rows
      .filter(({ stem }) => there.has(`${stem}.mp4`))
      .map(({ stem, part }) => ({
        id: stem,
        video: resolve(videos, `${stem}.mp4`),
        frames: resolve(root, 'video/frames', part, frameFolderName(framesPerSecond), stem),
        sound: resolve(root, 'audio', part, `${stem}.wav`),
      })),
    withoutVideo: [...new Set(rows.map(({ stem }) => stem))].filter((stem) => !there.has(`${stem}.mp4`)),
  };
}

function videoFolder(root: string): string {
  const archive = join(root, IN_ARCHIVE);
  return existsSync(archive) ? archive : join(root, 'video');
}

import { existsSync, readdirSync } from 'node:fs';
import { join, parse, resolve } from 'node:path';
import { DatasetNotFoundError } from '@g2d/core';
import type { Clip } from '@g2d/core';
import { frameFolderName } from '../clips/options.js';

/**
 * CREMA-D: `VideoFlash/<stem>.flv` → `Image-01-FPS/<stem>/` and, where the dataset's own recording is not there,
 * `AudioWAV/<stem>.wav`.
 *
 * @throws {DatasetNotFoundError} If there is no video.
 */
export function cremaDVideos(
  { root }: { readonly root: string },
  {
    framesPerSecond,
    videos = join(root, 'VideoFlash'),
  }: { readonly framesPerSecond: number; readonly videos?: string },
): { readonly clips: readonly Clip[]; readonly withoutVideo: readonly string[] } {
  const names = existsSync(videos) ? readdirSync(videos).filter((name) => /^\w+\.(flv|mp4)$/.test(name)) : [];
  if (names.length === 0) {
    throw new DatasetNotFoundError({
      dataset: 'CREMA-D',
      root,
      missing: [join(videos, '*.flv')],
      howToGet:
        'The videos are the folder VideoFlash of the GitHub repository CheyneyComputerScience/CREMA-D, by Git LFS; give another place ' +
        'with --videos DIR.',
    });
  }
  const clips = names.sort().map((name) => {
    const id = parse(name).name;
    return {
      id,
      video: resolve(videos, name),
      frames: resolve(root, frameFolderName(framesPerSecond), id),
      sound: resolve(root, 'AudioWAV', `${id}.wav`),
    };
  });
  return { clips, withoutVideo: [] };
}

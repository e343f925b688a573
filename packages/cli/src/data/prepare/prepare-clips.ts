import { readdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isThere, makeFolder } from '@g2d/formats/node';
import type { Clip } from '@g2d/core';
import type { Ffmpeg } from './ffmpeg.js';
import { prepareClip, type ClipResult } from './prepare-clip.js';

interface PrepareClipsOptions {
  /** The dataset's folder. */
  readonly root: string;
  readonly ffmpeg: Ffmpeg;
  readonly perSecond: number;
  /** Programs that run at the same time. */
  readonly jobs: number;
  readonly onClip: (clip: Clip, result: ClipResult) => void;
}

const WORK = '.g2d-prepare-';

/** Prepares clips, several at a time; what a killed run left half-finished is thrown away first. */
export async function prepareClips(
  clips: readonly Clip[],
  { root, ffmpeg, perSecond, jobs, onClip }: PrepareClipsOptions,
): Promise<void> {
  removeLeftovers(root);
  const workFolder = join(root, `${WORK}${hostname()}-${process.pid}`);
  makeFolder(workFolder);
  try {
    const waiting = clips.values();
    const work = async (): Promise<void> => {
      // One iterator for all: each takes what nobody has taken.
      for (const clip of waiting) onClip(clip, await prepareClip(clip, { ffmpeg, perSecond, workFolder }));
    };
    await Promise.all(Array.from({ length: Math.min(jobs, clips.length) }, work));
  } finally {
    rmSync(workFolder, { recursive: true, force: true });
  }
}

/** Only of processes of this machine that are no more: others may be at work in the same folder. */
function removeLeftovers(root: string): void {
  if (!isThere(root)) return;
  const mine = `${WORK}${hostname()}-`;
  for (const name of readdirSync(root)) {
    if (name.startsWith(mine) && !isRunning(Number(name.slice(mine.length)))) {
      rmSync(join(root, name), { recursive: true, force: true });
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

import { readdirSync, statSync } from 'node:fs';
import { fixedFrames } from '../transforms/frame-choice.js';
import { inOrder } from './in-order.js';

/** Where a clip's sound and frames should be. */
export interface ClipFiles {
  readonly id: string;
  /** A WAV file. */
  readonly sound: string;
  /** A folder of JPEG or PNG files. */
  readonly frameFolder: string;
}

/** Which clips can be used, and what is taken of them. */
export interface ClipRules {
  /** How many frames are taken of each clip. */
  readonly frames: number;
  /** Clips with fewer are left out. */
  readonly fewestFrames: number;
}

/** A clip whose files are there. */
export type UsableClip<C extends ClipFiles> = C & {
  /** The names of the frames to take, in the order drawn. */
  readonly frames: readonly string[];
};

export interface FoundClips<C extends ClipFiles> {
  readonly usable: readonly UsableClip<C>[];
  /** Reason → ids of the others. */
  readonly dropped: Readonly<Record<string, readonly string[]>>;
}

export const NO_SOUND = 'no sound';
export const NO_FOLDER = 'no frame folder';
export const NEITHER = 'no sound and no frame folder';
export const NO_FRAME = 'no frame (.jpg, .jpeg or .png) in the frame folder';
export const EMPTY_SOUND = 'sound without samples';

/** RIFF, fmt and the head of data: a WAV file of no more bytes has no sample. */
const EMPTY_WAV_BYTES = 44;

/**
 * Looks which of the listed clips have a sound and enough frames. No file is opened.
 *
 * Frames are the JPEG files of a folder, or its PNG files if there are none, in the order of their numbers; hidden files and what
 * else a file manager leaves there do not count. The
 * choice among them is `fixedFrames`'s, made here once, so that it stays the same when files change.
 */
export function findClips<C extends ClipFiles>(
  listed: readonly C[],
  { frames, fewestFrames }: ClipRules,
): FoundClips<C> {
  const usable: UsableClip<C>[] = [];
  const dropped: Record<string, string[]> = {};
  const chosen = new Map<number, readonly number[]>();
  // Equal names are kept in memory once.
  const names = new Map<string, string>();
  for (const clip of listed) {
    const found = frameNames(clip.frameFolder);
    const reason = reasonToDrop(clip.sound, found, fewestFrames);
    if (reason !== undefined) {
      (dropped[reason] ??= []).push(clip.id);
      continue;
    }
    const { length } = found as readonly string[];
    const choice = chosen.get(length) ?? fixedFrames(length, frames);
    chosen.set(length, choice);
    usable.push({
      ...clip,
      frames: choice.map((i) => {
        const name = (found as readonly string[])[i] as string;
        if (!names.has(name)) names.set(name, name);
        return names.get(name) as string;
      }),
    });
  }
  return { usable, dropped };
}

function reasonToDrop(
  sound: string,
  frames: readonly string[] | undefined,
  fewestFrames: number,
): string | undefined {
  const bytes = ifThere(() => statSync(sound).size);
  if (bytes === undefined) return frames === undefined ? NEITHER : NO_SOUND;
  if (frames === undefined) return NO_FOLDER;
  if (frames.length === 0) return NO_FRAME;
  if (frames.length < fewestFrames) return `fewer than ${fewestFrames} frames`;
  return bytes <= EMPTY_WAV_BYTES ? EMPTY_SOUND : undefined;
}

/** In the order of time; `undefined` if there is no such folder. */
function frameNames(folder: string): readonly string[] | undefined {
  const names = ifThere(() => readdirSync(folder));
  if (names === undefined) return undefined;
  const photos = names.filter((name) => /^[^.].*\.jpe?g$/i.test(name));
  return inOrder(photos.length > 0 ? photos : names.filter((name) => /^[^.].*\.png$/i.test(name)));
}

function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

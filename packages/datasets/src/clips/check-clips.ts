import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isGitLfsPointer, readImage, wavInfo } from '@g2d/formats/node';
import { FileFormatError } from '@g2d/core';
import {
  EMPTY_SOUND,
  NEITHER,
  NO_FOLDER,
  NO_FRAME,
  NO_SOUND,
  type ClipFiles,
  type FoundClips,
  type UsableClip,
} from './find-clips.js';

/** Reason → what it holds for. */
export class Problems {
  readonly #ids = new Map<string, string[]>();

  add(reason: string, id: string): void {
    this.addAll(reason, [id]);
  }

  addAll(reason: string, ids: readonly string[]): void {
    const known = this.#ids.get(reason);
    // A hundred thousand may come under one reason.
    if (known) for (const id of ids) known.push(id);
    else this.#ids.set(reason, [...ids]);
  }

  has(reason: string): boolean {
    return this.#ids.has(reason);
  }

  list(): { readonly reason: string; readonly ids: readonly string[] }[] {
    return [...this.#ids].map(([reason, ids]) => ({ reason, ids }));
  }
}

/** Clips that are looked at at the same time: a few more than there are threads that decode. */
const AT_ONCE = 8;

interface ClipCheck<C extends ClipFiles> {
  /** All clips of a list, whether their files are there or not. */
  readonly listed: readonly C[];
  /** What `findClips` found of them. Its dropped clips are problems too. */
  readonly found: FoundClips<C>;
  /** The video that a clip's frames and sound are made from. */
  readonly videoOf: (clip: C) => string;
  /** Ids of clips that are incomplete as published: nothing more is said of them. */
  readonly knownBroken?: ReadonlySet<string>;
  readonly problems: Problems;
  readonly onClip: () => void;
}

/**
 * Opens the files of the clips: the head of each sound, and each frame that training takes, which is decoded. Of a clip without frames,
 * what became of its video.
 *
 * @returns The clips that have no problem.
 */
export async function checkClips<C extends ClipFiles>({
  listed,
  found: { usable, dropped },
  videoOf,
  knownBroken,
  problems,
  onClip,
}: ClipCheck<C>): Promise<readonly UsableClip<C>[]> {
  for (const [reason, ids] of Object.entries(dropped)) problems.addAll(reason, ids);
  const broken = new Map<string, readonly string[]>();
  let next = 0;
  const work = async (): Promise<void> => {
    for (let clip = usable[next++]; clip !== undefined; clip = usable[next++]) {
      const reasons = [...problemsOfSound(clip), ...(await problemsOfFrames(clip))];
      if (reasons.length > 0) broken.set(clip.id, reasons);
      onClip();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  // In the order of the list, whichever was ready first.
  const of = (...reasons: readonly string[]) => new Set(reasons.flatMap((reason) => dropped[reason] ?? []));
  const complete = new Set(usable.map(({ id }) => id));
  const withoutSound = of(NO_SOUND, NEITHER, EMPTY_SOUND);
  const withoutFrames = of(NO_FOLDER, NEITHER, NO_FRAME);
  for (const clip of listed) {
    const { id } = clip;
    if (!complete.has(id) && knownBroken?.has(id)) continue;
    // A clip without frames may have a sound, and that may be broken.
    const reasons = complete.has(id) || withoutSound.has(id) ? (broken.get(id) ?? []) : problemsOfSound(clip);
    for (const reason of reasons) {
      problems.add(reason.includes('Git LFS') ? POINTER : 'broken file', `${id}: ${reason}`);
    }
    const video = withoutFrames.has(id) ? videoOf(clip) : undefined;
    if (video === undefined || !existsSync(video)) continue;
    if (isGitLfsPointer(video)) problems.add(POINTER, `${id}: ${basename(video)}`);
    else problems.add('video there, but its frames are not made yet (g2d data prepare)', id);
  }
  return usable.filter(({ id }) => !broken.has(id));
}

const POINTER = 'Git LFS pointer, not the file itself';

function problemsOfSound({ sound }: ClipFiles): readonly string[] {
  try {
    wavInfo(sound);
    return [];
  } catch (error) {
    return [reasonOf(error)];
  }
}

async function problemsOfFrames({ frameFolder, frames }: UsableClip<ClipFiles>): Promise<readonly string[]> {
  const reasons = await Promise.all(
    frames.map((frame) =>
      readImage(join(frameFolder, frame)).then(
        () => [],
        (error) => [reasonOf(error)],
      ),
    ),
  );
  return reasons.flat();
}

/** What an error says; of a path only the file's name. */
export function reasonOf(error: unknown): string {
  if (error instanceof FileFormatError) {
    const { path, problem } = error.details as { readonly path: string; readonly problem: string };
    return `${path.split(/[\\/]/).at(-1)} ${problem}`;
  }
  return error instanceof Error ? error.message : String(error);
}

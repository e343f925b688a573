import { join } from 'node:path';
import { FileFormatError } from '@g2d/tensor-ops';
import { readImage } from '../io/image.js';
import { wavInfo } from '../io/wav.js';
import type { ClipFiles, FoundClips, UsableClip } from './find-clips.js';

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

/**
 * Opens the files of the clips that were found: the head of each sound, and each frame that training takes, which is decoded.
 *
 * @param clips What `findClips` found. Its dropped clips are problems too.
 * @returns How many clips have no problem.
 */
export async function checkClips<C extends ClipFiles>(
  { usable, dropped }: FoundClips<C>,
  problems: Problems,
  onClip: () => void,
): Promise<readonly UsableClip<C>[]> {
  for (const [reason, ids] of Object.entries(dropped)) problems.addAll(reason, ids);
  const broken = new Map<string, string>();
  let next = 0;
  const work = async (): Promise<void> => {
    for (let clip = usable[next++]; clip !== undefined; clip = usable[next++]) {
      const problem = await problemOf(clip);
      if (problem !== undefined) broken.set(clip.id, problem);
      onClip();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  // In the order of the clips, whichever was ready first.
  for (const { id } of usable) {
    const problem = broken.get(id);
    if (problem === undefined) continue;
    problems.add(
      problem.includes('Git LFS') ? 'Git LFS pointer, not the file itself' : 'broken file',
      `${id}: ${problem}`,
    );
  }
  return usable.filter(({ id }) => !broken.has(id));
}

async function problemOf({ sound, frameFolder, frames }: UsableClip<ClipFiles>): Promise<string | undefined> {
  try {
    wavInfo(sound);
    await Promise.all(frames.map((frame) => readImage(join(frameFolder, frame))));
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** What an error says; of a path only the file's name. */
export function reasonOf(error: unknown): string {
  if (error instanceof FileFormatError) {
    const { path, problem } = error.details as { readonly path: string; readonly problem: string };
    return `${path.split(/[\\/]/).at(-1)} ${problem}`;
  }
  return error instanceof Error ? error.message : String(error);
}

import { rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { FileFormatError, G2DError } from '@g2d/core';
import { readIfThere, writeFileAtomic } from '@g2d/formats/node';

/** What became of the last try of a run: `<id>.attempt.json`, beside its folder. */
export interface Attempt {
  /** How often it has been tried, with this one: by one call of `g2d sweep`, or by one job of a queue. */
  readonly tries: number;
  /** What its process ended with (`EXIT`). Absent while it runs, and for ever if it was killed. */
  readonly exit?: number;
  /** Why it did not end with 0, in one sentence. */
  readonly why?: string;
  readonly host: string;
  /** How its queue calls it: `123_4`. */
  readonly job?: string;
}

/** What a process that trains one run of a sweep ends with, for whoever starts it; 129, 130, 143: it was stopped, and goes on later. */
export const EXIT = {
  finished: 0,
  /** Worth another try. */
  failed: 1,
  /** A mistake of the user's: another try would change nothing. */
  mistake: 2,
  /** What it needs is not finished. */
  teachers: 4,
} as const;

const fileOf = (out: string, id: string): string => join(out, `${id}.attempt.json`);

/** @throws {G2DError} If it is there and cannot be read. */
export function readAttempt(out: string, id: string): Attempt | undefined {
  const text = readIfThere(fileOf(out, id))?.toString('utf8');
  if (text === undefined) return undefined;
  try {
    const attempt = JSON.parse(text) as Attempt;
    return { ...attempt, tries: Number(attempt.tries) };
  } catch {
    throw new FileFormatError(
      fileOf(out, id),
      'it does not say how often the run was tried: it is damaged. Take it away.',
    );
  }
}

/** Writes what became of a try, as far as that can be written: the run's own folder says the rest. */
export function recordAttempt(out: string, id: string, attempt: Omit<Attempt, 'host'>): void {
  try {
    writeFileAtomic(
      fileOf(out, id),
      `${JSON.stringify({ ...attempt, host: hostname() } satisfies Attempt, null, 2)}\n`,
    );
  } catch {
    // A full disk, as a rule.
  }
}

export const forgetAttempt = (out: string, id: string): void => rmSync(fileOf(out, id), { force: true });

/** No mistakes of the user's. */
const MAY_PASS = ['G2D_RUN_IN_USE', 'G2D_PEER_LOST'];

/** What a process ends with that could not train a run. */
export function exitOf(error: unknown): number {
  if (!G2DError.isInstance(error)) return EXIT.failed;
  if (MAY_PASS.includes(error.code)) return EXIT.failed;
  if (error.code !== 'G2D_RUN_FAILED') return EXIT.mistake;
  // Of a process of its own.
  const { end } = error.details;
  return end === EXIT.mistake || end === EXIT.teachers ? end : EXIT.failed;
}

/** Whether another try may come out otherwise. */
export const isWorthAnother = (exit: number): boolean =>
  exit !== EXIT.finished && exit !== EXIT.mistake && exit !== EXIT.teachers;

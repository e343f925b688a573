import { rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { FileFormatError, G2DError } from '@g2d/core';
import { isThere, readIfThere, writeFileAtomic } from '@g2d/formats/node';

/** Why a run failed: `<id>.failed.json`, beside its folder. */
interface Failure {
  readonly message: string;
  readonly code?: string;
  /** Of a fault that is no user's. */
  readonly stack?: string;
  readonly host: string;
}

const fileOf = (out: string, id: string): string => join(out, `${id}.failed.json`);

/** What a child process writes: `<id>.log`, beside the run's folder. */
export const logOf = (out: string, id: string): string => join(out, `${id}.log`);

/** @throws {G2DError} If it is there and cannot be read. */
export function readFailure(out: string, id: string): Failure | undefined {
  const text = readIfThere(fileOf(out, id))?.toString('utf8');
  if (text === undefined) return undefined;
  try {
    const { message, ...failure } = JSON.parse(text) as Failure;
    return { ...failure, message: String(message) };
  } catch {
    throw new FileFormatError(
      fileOf(out, id),
      'it does not say why the run failed: it is damaged. Take it away.',
    );
  }
}

export const hasFailure = (out: string, id: string): boolean => isThere(fileOf(out, id));

/** Writes why a run failed, as far as that can be written: whoever calls it is about to say it. */
export function recordFailure(out: string, id: string, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const failure: Failure = {
    message,
    host: hostname(),
    ...(G2DError.isInstance(error)
      ? { code: error.code }
      : error instanceof Error && error.stack !== undefined && { stack: error.stack }),
  };
  try {
    writeFileAtomic(fileOf(out, id), `${JSON.stringify(failure, null, 2)}\n`);
  } catch {
    // The same full disk, as a rule: the failure itself is the better sentence.
  }
}

export const forgetFailure = (out: string, id: string): void => rmSync(fileOf(out, id), { force: true });

import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { G2DError } from '@g2d/core';
import { writeFileAtomic } from '@g2d/formats/node';

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

export function readFailure(out: string, id: string): Failure | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(out, id), 'utf8')) as Failure;
  } catch {
    return undefined;
  }
}

export function recordFailure(out: string, id: string, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const failure: Failure = {
    message,
    host: hostname(),
    ...(G2DError.isInstance(error)
      ? { code: error.code }
      : error instanceof Error && error.stack !== undefined && { stack: error.stack }),
  };
  mkdirSync(dirname(fileOf(out, id)), { recursive: true });
  writeFileAtomic(fileOf(out, id), `${JSON.stringify(failure, null, 2)}\n`);
}

export const forgetFailure = (out: string, id: string): void => rmSync(fileOf(out, id), { force: true });

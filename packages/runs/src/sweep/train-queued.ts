import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { G2DError } from '@g2d/core';
import { isRunLocked } from '../node/run-lock.js';
import { stopCode } from '../node/stop-signal.js';
import { EXIT, exitOf, isWorthAnother, readAttempt, recordAttempt } from './attempt.js';
import type { EngineContext } from './engine.js';
import type { Worker } from './local-engine.js';
import type { PlannedRun } from './plan.js';
import { isFinished } from './status.js';

/** What became of a run that a queue has started. */
export interface QueuedOutcome {
  /** What the job ends with. */
  readonly exit: number;
  /** Why that is not 0. */
  readonly why?: string;
  /** Whether it should come again: it was stopped, or failed for a reason that may pass. */
  readonly again: boolean;
}

/** How long a lock is waited for: that of a node which vanished stays for two minutes. */
const LOCK_MS = 180_000;
const LOOK_MS = 2_000;

/**
 * Trains one run of a sweep in a job of a queue, and writes beside the run's folder what became of it: whatever happens, a job says its
 * last word.
 *
 * @param options `worker`: should have a process of its own, so that a run which takes its process with it is told about. `job`: how the queue
 * calls it. `retries`: how often this job may try again.
 */
export async function trainQueued(
  run: PlannedRun,
  {
    worker,
    job,
    retries,
    ...context
  }: EngineContext & { readonly worker: Worker; readonly job?: string; readonly retries: number },
): Promise<QueuedOutcome> {
  const { out, signal } = context;
  const { id } = run;
  if (isFinished(out, id)) return { exit: EXIT.finished, again: false };
  const tries = triesOf(out, id, job) + 1;
  const end = (exit: number, why?: string): QueuedOutcome => {
    // The next one counts on from here; who was stopped has not failed.
    const isStopped = exit > 128;
    recordAttempt(out, id, {
      tries: isStopped ? tries - 1 : tries,
      exit,
      ...(why !== undefined && { why }),
      ...(job !== undefined && { job }),
    });
    const again = isStopped || (isWorthAnother(exit) && tries <= retries);
    return { exit, again, ...(why !== undefined && { why }) };
  };
  const open = run.needs.filter((need) => !isFinished(out, need));
  if (open.length > 0) return end(EXIT.teachers, `what it needs is not finished: ${open.join(', ')}`);
  recordAttempt(out, id, { tries, ...(job !== undefined && { job }) });
  try {
    await lockFree(join(out, id), signal);
    const outcome = signal.aborted ? 'interrupted' : await worker(run, context);
    if (outcome === 'finished') return end(EXIT.finished);
    return end(
      signal.aborted ? stopCode(signal) : SIGTERM,
      'it was stopped, and goes on from its checkpoint',
    );
  } catch (error) {
    return end(exitOf(error), error instanceof Error ? error.message : String(error));
  }
}

/** What a process ends with that Slurm has stopped itself. */
const SIGTERM = 143;

/** A new job counts anew: somebody has asked for it. */
function triesOf(out: string, id: string, job: string | undefined): number {
  try {
    const before = readAttempt(out, id);
    return before?.job === job ? (before?.tries ?? 0) : 0;
  } catch {
    // It is written anew.
    return 0;
  }
}

async function lockFree(folder: string, signal: AbortSignal): Promise<void> {
  for (const begun = Date.now(); isRunLocked(folder) && !signal.aborted; await sleep(LOOK_MS)) {
    if (Date.now() - begun < LOCK_MS) continue;
    throw new G2DError('G2D_RUN_IN_USE', `Another process trains in the run folder ${folder}.`, {
      path: folder,
    });
  }
}

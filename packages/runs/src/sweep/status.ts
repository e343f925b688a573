import { join } from 'node:path';
import { isThere } from '@g2d/formats/node';
import { RunFolder } from '../node/run-folder.js';
import { isRunLocked } from '../node/run-lock.js';
import { readFailure } from './failure.js';
import type { PlannedRun, SweepPlan } from './plan.js';

/**
 * How far a run of a sweep is. `stopped`: it goes on from its checkpoint. `blocked`: what it needs has failed. `waiting`: it has
 * not begun.
 */
export type RunState = 'finished' | 'running' | 'stopped' | 'failed' | 'blocked' | 'waiting';

/** One line of a sweep's status. */
export interface RunStatus {
  readonly id: string;
  readonly state: RunState;
  /** Why it failed, or what it waits for. */
  readonly why?: string;
  /** Epochs that are done, of a run that has begun. */
  readonly epoch?: number;
  readonly epochs: number;
}

/**
 * Whether a run is finished: its folder has a summary, which is written last. One that cannot be read is none: whoever goes on with the
 * run says what is wrong.
 */
export function isFinished(out: string, id: string): boolean {
  try {
    return new RunFolder(join(out, id)).summary() !== undefined;
  } catch {
    return false;
  }
}

/** Whether a run has begun: its folder has the configuration that it keeps. */
export const hasBegun = (out: string, id: string): boolean => isThere(join(out, id, 'config.json'));

/** The status of every run, from the run folders alone: nobody has to be asked, and nobody can have died. */
export function sweepStatus({ out, runs }: SweepPlan): readonly RunStatus[] {
  const states = new Map<string, RunStatus>();
  for (const run of runs) states.set(run.id, statusOf(run, out, states));
  return [...states.values()];
}

/** What cannot be read of one run says nothing of the others. */
function statusOf(run: PlannedRun, out: string, others: ReadonlyMap<string, RunStatus>): RunStatus {
  try {
    return readStatus(run, out, others);
  } catch (error) {
    return { id: run.id, epochs: run.config.epochs, state: 'failed', why: (error as Error).message };
  }
}

function readStatus(
  { id, needs, config: { epochs } }: PlannedRun,
  out: string,
  others: ReadonlyMap<string, RunStatus>,
): RunStatus {
  const folder = new RunFolder(join(out, id));
  const { path } = folder;
  if (folder.summary()) return { id, state: 'finished', epoch: epochs, epochs };
  const epoch = folder.lastRecord()?.epoch;
  const begun = { id, epochs, ...(epoch !== undefined && { epoch }) };
  if (isRunLocked(path)) return { ...begun, state: 'running' };
  const failure = readFailure(out, id);
  if (failure) return { ...begun, state: 'failed', why: failure.message };
  const lost = needs.find((need) => ['failed', 'blocked'].includes(others.get(need)?.state ?? ''));
  if (lost !== undefined) return { ...begun, state: 'blocked', why: `it needs ${lost}, which failed` };
  return { ...begun, state: hasBegun(out, id) ? 'stopped' : 'waiting' };
}

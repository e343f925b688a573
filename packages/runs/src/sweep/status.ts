import { join } from 'node:path';
import { isThere } from '@g2d/formats/node';
import { RunFolder } from '../node/run-folder.js';
import { isRunLocked } from '../node/run-lock.js';
import { EXIT, readAttempt } from './attempt.js';
import { readFailure } from './failure.js';
import type { PlannedRun, SweepPlan } from './plan.js';
import { outputOf } from './slurm/arrays.js';
import { askQueue, type SweepQueue } from './slurm/queue.js';

/**
 * How far a run of a sweep is. `queued`: it waits in a queue. `stopped`: it goes on from its checkpoint. `blocked`: what it needs has
 * failed. `waiting`: it has not begun.
 */
export type RunState = 'finished' | 'running' | 'queued' | 'stopped' | 'failed' | 'blocked' | 'waiting';

/** One line of a sweep's status. */
export interface RunStatus {
  readonly id: string;
  readonly state: RunState;
  /** Why it failed, or what it waits for. */
  readonly why?: string;
  /** Epochs that are done, of a run that has begun. */
  readonly epoch?: number;
  readonly epochs: number;
  /** How many processes trained it when it began, or are to train it; absent where it is one. */
  readonly processes?: number;
  /** How its queue calls it, while it is there. */
  readonly job?: string;
  /** What its job wrote, of one that left the queue without a word. */
  readonly log?: string;
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

/**
 * The status of every run, from the run folders: nobody has to be asked, and nobody can have died. Of a sweep that was given to Slurm also
 * from its queue, which is asked first.
 */
export function sweepStatus({ out, runs, queues }: SweepPlan): readonly RunStatus[] {
  const queue = askQueue(out);
  const { processes = 1 } = queues ?? {};
  const states = new Map<string, RunStatus>();
  for (const run of runs) states.set(run.id, statusOf(run, out, { others: states, queue, processes }));
  return [...states.values()];
}

/** What the status of a run depends on beside its folder. */
interface Surroundings {
  /** The runs before it. */
  readonly others: ReadonlyMap<string, RunStatus>;
  readonly queue: SweepQueue;
  /** That are to train each run. */
  readonly processes: number;
}

/** What cannot be read of one run says nothing of the others. */
function statusOf(run: PlannedRun, out: string, around: Surroundings): RunStatus {
  try {
    return readStatus(run, out, around);
  } catch (error) {
    return { id: run.id, epochs: run.config.epochs, state: 'failed', why: (error as Error).message };
  }
}

function readStatus(
  { id, needs, config: { epochs } }: PlannedRun,
  out: string,
  { others, queue, processes: planned }: Surroundings,
): RunStatus {
  const folder = new RunFolder(join(out, id));
  const { path } = folder;
  // Of most runs of a large sweep there is nothing yet, and nothing is looked for in it.
  const isNew = !isThere(path);
  const processes = (isNew ? undefined : recordedProcesses(folder)) ?? planned;
  const run = { id, epochs, ...(processes > 1 && { processes }) };
  if (!isNew && folder.summary()) return { ...run, state: 'finished', epoch: epochs };
  const epoch = isNew ? undefined : folder.lastRecord()?.epoch;
  const begun = { ...run, ...(epoch !== undefined && { epoch }) };
  const queued = queue.runs.get(id);
  if (!isNew && isRunLocked(path)) return { ...begun, state: 'running', ...(queued && { job: queued.job }) };
  if (queued) return { ...begun, ...queued };
  const failure = readFailure(out, id);
  if (failure) return { ...begun, state: 'failed', why: failure.message };
  const lost = needs.find((need) => ['failed', 'blocked'].includes(others.get(need)?.state ?? ''));
  if (lost !== undefined) return { ...begun, state: 'blocked', why: `it needs ${lost}, which failed` };
  const idle = { ...begun, state: !isNew && hasBegun(out, id) ? ('stopped' as const) : ('waiting' as const) };
  const job = queue.jobs.get(id);
  if (job === undefined) return idle;
  const attempt = readAttempt(out, id);
  const ended = attempt?.job === job ? attempt.exit : undefined;
  if (ended !== undefined) {
    const isLost = ended === EXIT.failed || ended === EXIT.mistake;
    const why = attempt?.why !== undefined && { why: attempt.why };
    return { ...idle, ...(isLost && { state: 'failed' as const }), ...why };
  }
  if (queue.problem !== undefined) return { ...begun, state: 'queued', job, why: queue.problem };
  // Killed before it could say anything: by its node, for its memory, by hand.
  return {
    ...begun,
    state: 'failed',
    why: `left the queue without a word (job ${job})`,
    log: outputOf(out, job),
  };
}

/** How many processes a run began with; nobody has to know it of one that cannot be read. */
function recordedProcesses(folder: RunFolder): number | undefined {
  try {
    const recorded = folder.config();
    return recorded && (recorded.environment?.processes ?? 1);
  } catch {
    return undefined;
  }
}

import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { readQueueLog, type QueueLog } from '../queue-log.js';
import { callSlurm } from './programs.js';

/** One run in the queue. */
export interface QueuedRun {
  /** `123_4`. */
  readonly job: string;
  readonly state: 'queued' | 'running';
}

/** What the queue says of a sweep. */
export interface SweepQueue {
  /** By id, what waits or runs. */
  readonly runs: ReadonlyMap<string, QueuedRun>;
  /** Of each run the last job that it was given to, which may have left the queue. */
  readonly jobs: ReadonlyMap<string, string>;
  /** Why the queue does not say more. */
  readonly problem?: string;
}

export const NO_QUEUE: SweepQueue = { runs: new Map(), jobs: new Map() };

/** How jobs of a sweep are known: its folder by its full name, and the list that their numbers count in. */
export const commentOf = (out: string, list: string): string => `${fullPath(out)} ${list}`;

/** One name for a folder, however it is reached. */
export function fullPath(out: string): string {
  try {
    return realpathSync(out);
  } catch {
    // It is not there yet.
    return resolve(out);
  }
}

/** States of a job that squeue may still name, and that nothing comes of any more. */
const ENDED = new Set([
  'BOOT_FAIL',
  'CANCELLED',
  'COMPLETED',
  'DEADLINE',
  'FAILED',
  'NODE_FAIL',
  'OUT_OF_MEMORY',
  'PREEMPTED',
  'TIMEOUT',
]);
const RUNNING = new Set(['RUNNING', 'COMPLETING', 'SIGNALING', 'STOPPED', 'SUSPENDED']);

/** Asks Slurm for what it has of a sweep; nobody is asked about one that has given nothing to it. */
export function askQueue(out: string): SweepQueue {
  const log = readQueueLog(out);
  const others = new Set([...log.kubernetes.values()].map(({ list }) => list));
  if ([...log.lists.keys()].every((list) => others.has(list))) return NO_QUEUE;
  // After the log: whatever stands there was in the queue before.
  const { output, problem } = callSlurm('squeue', ['-h', '-r', '-o', '%F|%K|%T|%k']);
  if (problem === undefined) return readQueue(output, out, log);
  return { ...NO_QUEUE, jobs: log.jobs, problem: `squeue does not answer: ${problem}` };
}

/** What `squeue -h -r -o '%F|%K|%T|%k'` has of a sweep. */
export function readQueue(
  output: string,
  out: string,
  { lists, jobs }: Pick<QueueLog, 'lists' | 'jobs'>,
): SweepQueue {
  const ours = `${fullPath(out)} `;
  const runs = new Map<string, QueuedRun>();
  let problem: string | undefined;
  for (const line of output.split('\n')) {
    const [, array = '', element = '', state = '', comment = ''] =
      /^([^|]*)\|([^|]*)\|([^|]*)\|(.*)$/.exec(line.trim()) ?? [];
    if (!comment.startsWith(ours) || ENDED.has(state)) continue;
    const id = lists.get(comment.slice(ours.length))?.[Number(element)];
    if (id === undefined) {
      problem = `job ${array}_${element} is of this sweep, and queue.jsonl does not say of which run; scancel ${array} takes it out of the queue`;
      continue;
    }
    const known = runs.get(id);
    // One that runs counts, of two of the same run.
    if (known?.state === 'running') continue;
    runs.set(id, { job: `${array}_${element}`, state: RUNNING.has(state) ? 'running' : 'queued' });
  }
  return { runs, jobs, ...(problem !== undefined && { problem }) };
}

import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { checkKeys, checkOptions } from '@g2d/core';
import { makeFolder, writeFileAtomic } from '@g2d/formats/node';
import type { SweepEngine } from '../engine.js';
import type { PlannedRun, SweepPlan } from '../plan.js';
import { severally } from '../child-worker.js';
import { appendToQueueLog } from '../queue-log.js';
import { slurmSchema } from '../schema.js';
import { isFinished } from '../status.js';
import {
  maxArraySize,
  sbatchArguments,
  scriptOf,
  slurmArrays,
  slurmScript,
  type SlurmSettings,
} from './arrays.js';
import { assertSlurm, callSlurm, slurmError } from './programs.js';
import { askQueue, fullPath, type SweepQueue } from './queue.js';

/** How runs are given to Slurm. */
export interface SlurmOptions {
  /** The program and its first arguments that train one run: the sweep's folder and options that say which follow (`g2d sweep run`). */
  readonly command: readonly string[];
  /** Options of sbatch beside those of the sweep, such as `--partition=gpu`. */
  readonly options?: readonly string[];
}

/**
 * Gives runs to Slurm, and returns when all are in the queue. What is there already is not submitted again. How is said by the sweep's
 * `slurm`.
 *
 * @throws {OptionError} If there is no Slurm on this machine, or an option is none of sbatch's, or one that a sweep gives itself.
 * @throws {G2DError} `G2D_SLURM`, while it runs, if the queue refuses: what was submitted stays, and is known.
 */
export function slurmEngine(given: SlurmOptions): SweepEngine {
  const { command, options = [] } = checkKeys(given, { command: true, options: true }, 'slurmEngine');
  checkOptions(slurmSchema, { options }, { where: 'sbatch' });
  assertSlurm();
  return {
    handsOver: true,
    async run(runs, { out, plan, signal, reporter }) {
      const settings = settingsOf(plan, options);
      const { retries = 0, processes = 1 } = plan?.queues ?? {};
      const queue = askedQueue(out);
      const { open, arrays, lost } = openArrays(runs, out, queue);
      for (const { id, needs } of lost)
        reporter.note(`${id} is not submitted: it needs ${needs.join(', ')}.`);
      if (arrays.length === 0) return;
      const script = scriptOf(out);
      makeFolder(dirname(script));
      writeFileAtomic(
        script,
        slurmScript(
          [...command, fullPath(out), '--planned', '--retries', String(retries), ...severally(processes)],
          settings.setup,
        ),
      );
      // Before the first job: whatever it is called later, its runs are known.
      appendToQueueLog(out, ...arrays.map(({ list, runs: ids }) => ({ list, runs: ids })));
      const jobs = new Map([...queue.runs].map(([id, { job }]) => [id, job]));
      for (const [done, array] of arrays.entries()) {
        // Signals are heard between two calls, and the lock of the folder gives its signs of life.
        await nextTurn();
        if (signal.aborted) return;
        // In the time that many calls take, what is needed may have come to its end and been forgotten by the queue.
        const after = array.needs.filter((id) => !isFinished(out, id)).map((id) => jobs.get(id) as string);
        const place = { name: plan?.name ?? 'g2d', out, folder: process.cwd(), processes, settings };
        const { output, problem } = callSlurm('sbatch', sbatchArguments(array, after, place));
        const job = /^(\d+)(;.*)?$/m.exec(output)?.[1];
        if (job === undefined) {
          const count = arrays.slice(0, done).reduce((sum, { runs: ids }) => sum + ids.length, 0);
          throw slurmError(
            'sbatch',
            problem ?? `it does not say the number of the job, but: ${output.trim()}`,
            `${count} of ${open.length} runs were submitted and stay; the same command submits the others.`,
          );
        }
        appendToQueueLog(out, { list: array.list, job });
        for (const [i, id] of array.runs.entries()) jobs.set(id, `${job}_${i}`);
        reporter.note(described(job, array, after));
      }
    },
  };
}

const settingsOf = (plan: Pick<SweepPlan, 'queues'> | undefined, more: readonly string[]): SlurmSettings => {
  const { options = [], setup = [], atOnce } = plan?.queues?.slurm ?? {};
  // Of two of the same sbatch takes the last.
  return { options: [...options, ...more], setup, atOnce };
};

/** @throws {G2DError} If the queue does not say what it has: runs would be submitted twice. */
function askedQueue(out: string): SweepQueue {
  const queue = askQueue(out);
  if (queue.problem === undefined) return queue;
  throw slurmError('squeue', queue.problem, 'Nothing was submitted, since it might be in the queue already.');
}

/** What is neither finished nor queued, as arrays. */
function openArrays(runs: readonly PlannedRun[], out: string, queue: SweepQueue) {
  // Many runs need the same.
  const known = new Map<string, boolean>();
  const isDone = (id: string): boolean => {
    const done = known.get(id) ?? isFinished(out, id);
    known.set(id, done);
    return done;
  };
  const open = runs.filter(({ id }) => !queue.runs.has(id) && !isDone(id));
  const isQueued = (id: string): boolean => queue.runs.has(id);
  return { open, ...slurmArrays(open, { isFinished: isDone, isQueued, most: arraySize() }) };
}

function arraySize(): number {
  return maxArraySize(callSlurm('scontrol', ['show', 'config']).output);
}

const described = (
  job: string,
  { runs }: { readonly runs: readonly string[] },
  after: readonly string[],
): string => {
  const ids = runs.length > 3 ? [...runs.slice(0, 2), '…', runs.at(-1)] : runs;
  return `job ${job}: ${runs.length} run${runs.length === 1 ? '' : 's'} (${ids.join(', ')})${after.length > 0 ? ` after ${after.join(', ')}` : ''}`;
};

/**
 * What `slurmEngine` would call, without calling or writing anything: arguments of sbatch, jobs as `JOB1`, `JOB2` …
 *
 * @throws {G2DError} `G2D_SLURM` if there is a queue, and it does not say what it has.
 */
export function slurmCalls(plan: SweepPlan, more: readonly string[] = []): readonly (readonly string[])[] {
  const { name, out, runs, queues: { processes = 1 } = {} } = plan;
  checkOptions(slurmSchema, { options: more }, { where: 'sbatch' });
  const settings = settingsOf(plan, more);
  const queue = askedQueue(out);
  const { arrays } = openArrays(runs, out, queue);
  const jobs = new Map([...queue.runs].map(([id, { job }]) => [id, job]));
  return arrays.map((array, n) => {
    for (const [i, id] of array.runs.entries()) jobs.set(id, `JOB${n + 1}_${i}`);
    const after = array.needs.map((id) => jobs.get(id) as string);
    return sbatchArguments(array, after, { name, out, folder: process.cwd(), processes, settings });
  });
}

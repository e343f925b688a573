import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { checkKeys, G2DError } from '@g2d/core';
import { makeFolder } from '@g2d/formats/node';
import { STOPPED } from '../node/stop-signal.js';
import { exitOf } from './attempt.js';
import { forgetFailure, logOf, readFailure, recordFailure } from './failure.js';
import type { Worker } from './local-engine.js';
import { signalSteps, stepCommand } from './slurm/step.js';

/** Where TensorFlow reads how many threads it may have. */
const THREADS = ['OMP_NUM_THREADS', 'TF_NUM_INTRAOP_THREADS', 'TF_NUM_INTEROP_THREADS'];

/** How processes of its own train a run. */
export interface ChildOptions {
  /** How many runs there are at once: they share the processor, unless the environment says how. */
  readonly jobs: number;
  /** How many processes train each run. Default 1. */
  readonly processes?: number;
  /** Inside of a job of Slurm: srun starts the processes, wherever the job has room for them. Default: they are started on this machine. */
  readonly inSlurm?: boolean;
}

/**
 * A worker that trains each run in a process of its own, or in several, whose output goes to the end of `<id>.log`.
 *
 * @param command The program and its first arguments; the sweep's folder and the run's id follow, and above them `--processes N` where it has to
 * start several. It must end with 0 if the run is finished, and with 128 and the number of the signal if it saved itself on one.
 */
export function childWorker(command: readonly string[], options: ChildOptions): Worker {
  const {
    jobs,
    processes = 1,
    inSlurm = false,
  } = checkKeys(options, { jobs: true, processes: true, inSlurm: true }, 'childWorker');
  const isStep = inSlurm && processes > 1;
  const whole = isStep ? stepCommand(command, processes) : [...command, ...severally(processes)];
  const [program, ...first] = whole as [string, ...string[]];
  const share = Math.max(1, Math.floor(availableParallelism() / (jobs * processes)));
  const threads = (isStep && process.env['SLURM_CPUS_PER_TASK']) || String(share);
  const env = { ...Object.fromEntries(THREADS.map((name) => [name, threads])), ...process.env };
  return async (run, { out, signal, reporter }) => {
    const { id } = run;
    forgetFailure(out, id);
    makeFolder(dirname(logOf(out, id)));
    const log = openSync(logOf(out, id), 'a');
    try {
      writeSync(log, `${BEGIN} ${new Date().toISOString()}\n`);
    } catch {
      // A full disk, as a rule: the run itself says so.
    }
    // Ctrl-C reaches a whole terminal; we alone pass it on, once. If we are killed, the channel tells the child.
    const child = spawn(program, [...first, out, id], {
      env,
      detached: true,
      // No channel reaches through srun; Slurm itself ends what is left of a job.
      stdio: ['ignore', log, log, ...(isStep ? [] : (['ipc'] as const))],
    });
    closeSync(log);
    const stop = (): void => {
      if (isStep) signalSteps();
      else child.kill('SIGTERM');
    };
    const kill = (): void => void child.kill('SIGKILL');
    signal.addEventListener('abort', stop);
    process.on('exit', kill);
    try {
      child.on('message', (message) => reporter.epoch(run, (message as { readonly epoch: number }).epoch));
      const end = await new Promise<number | NodeJS.Signals>((resolve, reject) => {
        child.once('error', reject);
        child.once('exit', (code, killed) => resolve(code ?? (killed as NodeJS.Signals)));
      });
      if (end === 0) return 'finished';
      const failure = readFailure(out, id);
      // Of several processes the others may have been stopped: what the run failed of counts.
      if (failure) {
        const own =
          processes > 1
            ? exitOf(failure.code === undefined ? failure : new G2DError(failure.code, failure.message))
            : end;
        throw new G2DError('G2D_RUN_FAILED', failure.message, { id, end: own });
      }
      // It may not have listened yet.
      if (STOPPED.includes(end) || (end === 'SIGTERM' && signal.aborted)) return 'interrupted';
      const how = typeof end === 'string' ? `was ended by ${end}` : `ended with exit code ${end}`;
      const last = lastLine(logOf(out, id));
      const error = new G2DError(
        'G2D_RUN_FAILED',
        `Its process ${how}${last === undefined ? '' : `; the last line of its log is: ${last}`}`,
        { id, end },
      );
      recordFailure(out, id, error);
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      process.off('exit', kill);
    }
  };
}

/** What tells `g2d sweep run` how many processes train a run, where there are several. */
export const severally = (processes: number): string[] =>
  processes > 1 ? ['--processes', String(processes)] : [];

/** Begins a line in the log, before what each process has said. */
const BEGIN = '--- begun';

function lastLine(path: string): string | undefined {
  const line = readFileSync(path, 'utf8').trim().split('\n').at(-1);
  return line?.startsWith(BEGIN) ? undefined : line;
}

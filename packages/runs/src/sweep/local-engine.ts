import { checkKeys } from '@g2d/core';
import { exitOf, forgetAttempt, isWorthAnother, recordAttempt } from './attempt.js';
import type { SweepEngine, EngineContext } from './engine.js';
import type { PlannedRun } from './plan.js';
import { isFinished } from './status.js';
import { trainPlanned } from './train-planned.js';

/** Trains one run, or goes on with it. Throws if it fails. */
export type Worker = (run: PlannedRun, context: EngineContext) => Promise<'finished' | 'interrupted'>;

/**
 * Trains on this machine.
 *
 * @param options `jobs`: how many runs at once; more than one need a worker with processes of its own. `worker`: default this
 * process, for which a backend has been chosen. `trust`: of this process, as of `trainRun`. `retries`: how often a run is tried again that
 * fails for a reason which is no mistake of the user's; default: the sweep's.
 */
export function localEngine(
  options: {
    readonly jobs?: number;
    readonly worker?: Worker;
    readonly trust?: boolean;
    readonly retries?: number;
  } = {},
): SweepEngine {
  const {
    jobs = 1,
    trust = false,
    retries: ownRetries,
    worker = workHere(trust),
  } = checkKeys(options, { jobs: true, worker: true, trust: true, retries: true }, 'localEngine');
  return {
    async run(runs, context) {
      const { out, signal, reporter } = context;
      const retries = ownRetries ?? context.plan?.queues?.retries ?? 0;
      const open = new Set<PlannedRun>();
      const done = new Set<string>();
      for (const run of runs) {
        if (!isFinished(out, run.id)) open.add(run);
        else {
          done.add(run.id);
          reporter.finished(run);
        }
      }
      const isReady = ({ needs }: PlannedRun): boolean =>
        needs.every((need) => done.has(need) || isFinished(out, need));
      const train = async (run: PlannedRun): Promise<void> => {
        reporter.begin(run);
        for (let tries = 1; ; tries++) {
          try {
            if ((await worker(run, context)) === 'interrupted') return;
            forgetAttempt(out, run.id);
            done.add(run.id);
            reporter.finished(run);
            return;
          } catch (error) {
            const exit = exitOf(error);
            const why = error instanceof Error ? error.message : String(error);
            recordAttempt(out, run.id, { tries, exit, why });
            if (tries > retries || signal.aborted || !isWorthAnother(exit)) return reporter.failed(run, why);
            reporter.note(`${run.id} failed, and is tried again. ${why}`);
          }
        }
      };
      const running = new Map<PlannedRun, Promise<void>>();
      while (!signal.aborted) {
        for (const run of [...open].filter(isReady).slice(0, jobs - running.size)) {
          open.delete(run);
          running.set(
            run,
            train(run).finally(() => running.delete(run)),
          );
        }
        // What is left waits for a run that failed.
        if (running.size === 0) return;
        await Promise.race(running.values());
      }
      await Promise.all(running.values());
    },
  };
}

const workHere =
  (trust: boolean): Worker =>
  async (run, { out, signal, reporter }) => {
    const { epochs } = run.config;
    const { status } = await trainPlanned(run, {
      out,
      signal,
      trust,
      reporter: {
        begin: ({ total, done }) => reporter.epoch(run, Math.floor((epochs * done) / Math.max(1, total))),
        step: () => {},
        epoch: ({ epoch }) => reporter.epoch(run, epoch),
        note: (line) => reporter.note(line),
      },
    });
    return status;
  };

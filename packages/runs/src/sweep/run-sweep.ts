import { checkKeys, OptionError } from '@g2d/core';
import { join } from 'node:path';
import { checkFinished, identifyOnce } from '../check-finished.js';
import { describeEnvironment } from '../environment.js';
import { RunFolder } from '../node/run-folder.js';
import type { EngineContext, SweepEngine } from './engine.js';
import { localEngine } from './local-engine.js';
import { openSweep, type OpenSweepOptions } from './open-sweep.js';
import type { PlannedRun, SweepPlan } from './plan.js';
import { askQueue } from './slurm/queue.js';
import { isFinished, sweepStatus, type RunStatus } from './status.js';
import { tryPlan, type OnTry } from './try-plan.js';

/** What `runSweep` works with beside the plan. */
export interface RunSweepOptions
  extends Omit<OpenSweepOptions, 'environment'>, Pick<EngineContext, 'signal' | 'reporter'> {
  /** Where runs are trained. Default: one after another in this process, for which a backend has been chosen. */
  readonly engine?: SweepEngine;
  /** Called once the folder is ours, before the first run. */
  readonly onOpen?: (sweep: { readonly resumed: boolean }) => void;
  /** Called for each run that is tried before the first begins, which takes a second or two for large networks. */
  readonly onTry?: OnTry;
  /** Ids of the runs that are wanted, with those that need them. Default: all. */
  readonly only?: readonly string[];
}

/**
 * Trains what is not finished of a sweep, and returns when nothing more can be trained: all is finished, or what is left needs a run
 * that failed, or the signal came. The same call goes on.
 *
 * @returns The status of every run.
 * @throws {OptionError} If the folder is not a sweep's, or a run has begun with other settings; if a finished run was trained on other data
 * than there are now, and `allowChanged` is not set; if a queue is to get runs of sweeps that say differently how.
 * @throws {G2DError} `G2D_RUN_IN_USE` if another process runs this sweep. A run that fails does not throw: it is in the status.
 * @example
 * const plan = await planSweep(readSweep('examples/av-mnist-small/sweep.json'));
 * await loadTensorFlow();
 * const status = await runSweep(plan, { signal, reporter });
 */
export async function runSweep(plan: SweepPlan, given: RunSweepOptions): Promise<readonly RunStatus[]> {
  const {
    engine = localEngine(),
    only,
    signal,
    reporter,
    onOpen,
    onTry,
    ...options
  } = checkKeys(
    given,
    {
      engine: true,
      only: true,
      signal: true,
      reporter: true,
      onOpen: true,
      onTry: true,
      fresh: true,
      result: true,
    },
    'runSweep',
  );
  if (engine.handsOver && plan.disagreement !== undefined) {
    throw new OptionError(
      `${plan.disagreement}, and their runs would wait in one queue. Give them the same, or hand them over one after the other.`,
      { option: 'queues', value: plan.disagreement, accepted: 'the same in all sweeps' },
    );
  }
  const { resumed, release } = openSweep(plan, { ...options, environment: describeEnvironment() });
  try {
    onOpen?.({ resumed });
    const runs = only ? wanted(plan.runs, only) : plan.runs;
    // Finished runs are kept, and their numbers stand beside new ones.
    const identify = identifyOnce();
    for (const { id, config } of runs.filter((run) => isFinished(plan.out, run.id)))
      for (const line of await checkFinished(config, new RunFolder(join(plan.out, id)), identify))
        reporter.note(line);
    await tryPlan(
      runs.filter(({ id }) => !isFinished(plan.out, id)),
      { signal, onTry, processes: plan.queues?.processes ?? 1 },
    );
    if (signal.aborted) return sweepStatus(plan);
    const queue = askQueue(plan.out);
    const own = engine.handsOver ? runs : runs.filter(({ id }) => !queue.runs.has(id));
    if (own.length < runs.length)
      reporter.note(
        `Left to the queue, in which they wait or run: ${runs.length - own.length} of ${runs.length}.`,
      );
    await engine.run(own, { out: plan.out, plan, signal, reporter });
    return sweepStatus(plan);
  } finally {
    release();
  }
}

function wanted(runs: readonly PlannedRun[], ids: readonly string[]): PlannedRun[] {
  const all = new Set(ids);
  return runs.filter(({ id, needs }) => {
    if (needs.some((need) => all.has(need))) all.add(id);
    return all.has(id);
  });
}

import { checkKeys } from '@g2d/core';
import { existsSync, rmdirSync } from 'node:fs';
import { beginRun } from './begin-run.js';
import { checkBatches } from './check-batches.js';
import type { RunConfig } from './config-schema.js';
import { assertNoStages } from './continuation.js';
import { checkFinished } from './check-finished.js';
import { continueRun, type Continuation } from './continue-run.js';
import { findPlace } from './find-place.js';
import { digestOf } from './identity.js';
import { loadInitialWeights } from './initial-weights.js';
import { keepDamaged } from './node/checkpoints/write-checkpoint.js';
import { RunFolder } from './node/run-folder.js';
import { lockRun } from './node/run-lock.js';
import { openRun } from './open-run.js';
import { planRun } from './plan-run.js';
import { assertCanShare, assertSame } from './processes/same.js';
import { fromFirst, together, type Processes } from './processes/processes.js';
import { SILENT, type RunReporter } from './run-reporter.js';
import { tryBatches } from './try-batches.js';
import { trainOpened, type RunOutcome } from './train-opened.js';

/** What `trainRun` works with beside the configuration. */
export interface TrainRunOptions {
  /** The run's folder. */
  readonly out: string;
  /** Go on with the run in `out`, from its last checkpoint; without one it begins. Default false: `out` must be free. */
  readonly resume?: boolean;
  /** Finish the step, save, and return. */
  readonly signal?: AbortSignal;
  readonly reporter?: RunReporter;
  /** The processes that train the run together, as `joinProcesses` gave them: the first one alone writes. Default: this one alone. */
  readonly processes?: Processes | undefined;
  /** Load modules that the folders of teachers name, and the configuration does not. Default false: they may be anybody's. */
  readonly trust?: boolean;
}

/**
 * Trains what a configuration describes, into a run folder that survives anything: `config.json`, `metrics.jsonl`, `tensorboard/`,
 * `checkpoints/`, at last `predictions.json` and `summary.json`.
 *
 * A run that is killed at any moment goes on from its last checkpoint with `resume`, and ends with the same weights and metrics, bit for
 * bit, as one that was never stopped (same backend, same machine). It may go on with more epochs than it began with, also when it is
 * finished, and ends as one that had them from the start; where that could not be, it is refused. Choose a backend before the call
 * (`loadTensorFlow`).
 *
 * What the run is made of beside its settings is recorded when it begins, and compared when it goes on: ids, labels, classes and contents of the
 * data, the user's modules, copies of teachers, the versions and the machine.
 *
 * @throws {OptionError} If the configuration cannot be run, the folder is not free, or `resume` has other settings than the run began with; if
 * data or modules are other than they were and `allowChanged` is not set.
 * @throws {G2DError} `G2D_RUN_IN_USE` if another process trains in the folder, `G2D_RUN_FOLDER` if it cannot be written, `G2D_DIVERGED` if
 * the loss or a weight stops being finite. What was saved stays in all cases.
 * @example
 * await loadTensorFlow();
 * const outcome = await trainRun(readConfig('examples/av-mnist-small/small.json'), { out: 'runs/joint' });
 */
export async function trainRun(wanted: RunConfig, options: TrainRunOptions): Promise<RunOutcome> {
  const {
    out,
    resume = false,
    signal,
    reporter = SILENT,
    processes,
    trust = false,
  } = checkKeys(
    options,
    { out: true, resume: true, signal: true, reporter: true, processes: true, trust: true },
    'trainRun',
  );
  const folder = new RunFolder(out);
  const isNew = !existsSync(out);
  let release: (() => void) | undefined;
  try {
    assertCanShare(wanted, processes);
    const { config, finished, state, isDamaged, earlier, notes } = await fromFirst(processes, () => {
      folder.assertUsable();
      release = lockRun(out);
      return findPlace(folder, wanted, { resume });
    });
    for (const line of notes) reporter.note(line);
    if (finished) {
      await fromFirst(processes, async () => {
        for (const line of await checkFinished(config, folder)) reporter.note(line);
      });
      return { status: 'finished', folder, summary: finished };
    }
    const run = await together(processes, async () => {
      const plan = await planRun(config);
      if (earlier) assertNoStages(plan.methods, earlier);
      return openRun(plan, { folder, teachers: state ? 'copied' : 'named', trust, processes });
    });
    const { plan } = run;
    try {
      assertSame(processes, { data: digestOf(run.identity.data), ...run.identity.modules });
      let going: Continuation | undefined;
      await fromFirst(processes, () => {
        going = state && continueRun(run, { epoch: state.position.epoch, progress: state });
      });
      await together(processes, async () => {
        // A run that began goes on: what is too small is left out.
        if (!state) checkBatches(run);
        await tryBatches(run);
        if (!state) loadInitialWeights(run, config);
      });
      // Everything is checked: only now is anything written.
      await fromFirst(processes, () => {
        const aside = state ? undefined : beginRun(run);
        if (aside !== undefined) {
          reporter.note(`The run begins anew: it was not saved yet. What was there is now in ${aside}.`);
        }
        going?.record();
        const damaged = isDamaged ? keepDamaged(folder.checkpoints, 'last') : undefined;
        if (damaged !== undefined) reporter.note(`The damaged checkpoint is kept as ${damaged}.`);
        if (state && earlier) folder.goOn(config, { from: state.position.epoch, earlier });
      });
      const taught = [...(run.teachers?.values() ?? [])].flatMap((each) => [
        ...each.differences,
        ...each.remarks,
      ]);
      // By now everything is made, and a sample of each split was read.
      const remarks = [...plan.remarks, ...plan.unread(), ...run.data.remarks, ...taught];
      for (const line of [...remarks, ...(going?.notes ?? [])]) reporter.note(line);
      return await trainOpened(run, { state, signal, reporter });
    } finally {
      await run.close();
    }
  } finally {
    release?.();
    if (isNew) removeIfEmpty(out);
  }
}

function removeIfEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // It holds a run.
  }
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import { G2DError, OptionError } from '@g2d/core';
import type { RunConfig } from '../config-schema.js';
import { tryRun } from '../try-run.js';
import type { PlannedRun } from './plan.js';

/** Told of each run that is tried, the n-th of `count`. */
export type OnTry = (run: PlannedRun, n: number, count: number) => void;

/**
 * Tries the runs of a sweep, those that differ in their numbers alone once. Where the signal comes, it returns after the present one.
 *
 * @throws {OptionError} That names the first run which cannot be trained.
 */
export async function tryPlan(
  runs: readonly PlannedRun[],
  {
    signal,
    onTry,
    processes,
  }: { readonly signal: AbortSignal; readonly onTry?: OnTry | undefined; readonly processes: number },
): Promise<void> {
  const distinct = new Map<string, PlannedRun>();
  for (const run of runs) {
    const what = JSON.stringify(whatMatters(run.config));
    if (!distinct.has(what)) distinct.set(what, run);
  }
  let n = 0;
  for (const run of distinct.values()) {
    const { id, config } = run;
    // Signals are heard between two of them.
    await nextTurn();
    if (signal.aborted) return;
    onTry?.(run, ++n, distinct.size);
    try {
      await tryRun(config, { processes });
    } catch (error) {
      if (!G2DError.isInstance(error)) throw error;
      throw new OptionError(`The run ${id} cannot be trained: ${error.message}`, {
        option: id,
        value: id,
        accepted: 'a run that can be trained',
      });
    }
  }
}

const whatMatters = ({
  dataset,
  data,
  modalities,
  encoders,
  fusion,
  method,
  methodOptions,
  ...rest
}: RunConfig) => ({
  dataset,
  data,
  modalities,
  encoders,
  fusion,
  method,
  methodOptions,
  evaluation: rest.evaluation,
  select: rest.select,
  hasEpochs: rest.epochs > 0,
});

import { G2DError, OptionError } from '@g2d/core';
import type { RunConfig } from '../config-schema.js';
import { tryRun } from '../try-run.js';
import type { PlannedRun } from './plan.js';

/**
 * Tries the runs of a sweep, those that differ in their numbers alone once.
 *
 * @throws {OptionError} That names the first run which cannot be trained.
 */
export async function tryPlan(runs: readonly PlannedRun[]): Promise<void> {
  const tried = new Set<string>();
  for (const { id, config } of runs) {
    const what = JSON.stringify(whatMatters(config));
    if (tried.has(what)) continue;
    tried.add(what);
    try {
      await tryRun(config);
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

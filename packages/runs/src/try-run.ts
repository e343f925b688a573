import { checkKeys } from '@g2d/core';
import { checkBatches } from './check-batches.js';
import type { RunConfig } from './config-schema.js';
import { asRecorded } from './method-names.js';
import { RunFolder } from './node/run-folder.js';
import { openRun } from './open-run.js';
import { planRun } from './plan-run.js';
import { tryBatches } from './try-batches.js';

/**
 * Tries a configuration whose teachers are yet to be trained: its modules, data, model, methods and first batches. What is wrong with a
 * student is said before its teachers are trained, which may take days. Nothing is written.
 *
 * @param options `processes`: how many will train it together. Default 1.
 * @throws {OptionError} As `trainRun`, apart from what depends on teachers.
 */
export async function tryRun(
  config: RunConfig,
  options: { readonly processes?: number } = {},
): Promise<void> {
  const { processes = 1 } = checkKeys(options, { processes: true }, 'tryRun');
  const plan = await planRun(asRecorded({ ...config, data: { ...config.data, inMemory: false } }));
  const run = await openRun(plan, {
    folder: new RunFolder('.'),
    teachers: 'later',
    count: processes,
  });
  try {
    checkBatches(run);
    await tryBatches(run);
  } finally {
    await run.close();
  }
}

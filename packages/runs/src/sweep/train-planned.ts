import { join } from 'node:path';
import { G2DError } from '@g2d/core';
import type { Processes } from '../processes/processes.js';
import type { RunReporter } from '../run-reporter.js';
import type { RunOutcome } from '../train-opened.js';
import { trainRun } from '../train-run.js';
import { forgetFailure, hasFailure, recordFailure } from './failure.js';
import type { PlannedRun } from './plan.js';

/**
 * Trains one run of a sweep, or goes on with it: at once if it is finished. May be called on any machine that sees the folder.
 *
 * @throws As `trainRun`. The reason is written beside the run's folder, unless another process trains in it.
 */
export async function trainPlanned(
  { id, config }: PlannedRun,
  {
    out,
    signal,
    reporter,
    trust = false,
    processes,
  }: {
    readonly out: string;
    readonly signal?: AbortSignal;
    readonly reporter?: RunReporter;
    readonly trust?: boolean;
    /** Those that train it together, and each call this. */
    readonly processes?: Processes | undefined;
  },
): Promise<RunOutcome> {
  try {
    const outcome = await trainRun(config, {
      out: join(out, id),
      resume: true,
      trust,
      processes,
      ...(signal && { signal }),
      ...(reporter && { reporter }),
    });
    forgetFailure(out, id);
    return outcome;
  } catch (error) {
    const code = G2DError.isInstance(error) ? error.code : undefined;
    // What another process failed of is the better reason, and may be there already.
    const isOfOther = code === 'G2D_PEER_LOST' || code === 'G2D_PEER_FAILED';
    if (code !== 'G2D_RUN_IN_USE' && !(isOfOther && hasFailure(out, id))) recordFailure(out, id, error);
    throw error;
  }
}

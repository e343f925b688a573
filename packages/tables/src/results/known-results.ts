import { join } from 'node:path';
import { FileFormatError, G2DError, printable } from '@g2d/core';
import { readConfig, runKey, sweepStatus, type PlannedRun, type RunStatus } from '@g2d/runs';
import type { TablePlan } from '../plan/plan-table.js';
import { readResult } from './read-result.js';
import type { RunResult } from './run-result.js';

/** What is known of the runs of a plan. */
export interface KnownResults {
  /** By id; those of the folders, and of the rest those of a file. */
  readonly results: ReadonlyMap<string, RunResult>;
  /** Ids of runs whose folders are complete, whether or not they can be read as a result. */
  readonly finished: ReadonlySet<string>;
  /** The others, and those that failed with their reasons. */
  readonly status: readonly RunStatus[];
  /** Run folders that cannot be taken, one sentence each. */
  readonly refused: readonly string[];
  /** How many were taken from the file. */
  readonly fromFile: number;
}

/**
 * Reads what has come of the runs of a plan, from their folders, and where these have none, from results that were collected elsewhere.
 *
 * A folder that cannot be taken is named, and hides no other.
 */
export function knownResults(
  { pool, keys }: Pick<TablePlan, 'pool' | 'keys'>,
  collected: readonly RunResult[],
): KnownResults {
  const status = sweepStatus(pool);
  const finished = new Set(status.flatMap(({ id, state }) => (state === 'finished' ? [id] : [])));
  const others = new Map(collected.map((result) => [result.key, result]));
  const results = new Map<string, RunResult>();
  const refused: string[] = [];
  let fromFile = 0;
  for (const run of pool.runs) {
    const { id } = run;
    const key = keys.get(id) as string;
    try {
      if (finished.has(id)) results.set(id, readOwn(run, join(pool.out, id), key));
    } catch (error) {
      if (!G2DError.isInstance(error)) throw error;
      refused.push(printable(`${error.message} Its cells are left out.`, { line: true }));
      continue;
    }
    const other = others.get(key);
    if (!other || results.has(id)) continue;
    results.set(id, other);
    fromFile += 1;
  }
  return { results, finished, status, refused, fromFile };
}

/** @throws {FileFormatError} If the folder is of other settings than the plan, or damaged. */
function readOwn({ config }: PlannedRun, folder: string, key: string): RunResult {
  const result = readResult(folder, key);
  const path = join(folder, 'config.json');
  if (runKey(readConfig(path)) === runKey(config)) return result;
  throw new FileFormatError(
    path,
    'these are other settings than the sweep plans for this run: the file was edited, or the folder is of something else. Move the folder away, and the run is trained again.',
  );
}

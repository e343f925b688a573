import { join } from 'node:path';
import { datasetName } from '../layout/names.js';
import type { TablePlan } from '../plan/plan-table.js';
import type { FigureRun } from './figure-run.js';

/**
 * The runs of a plan that a figure can be made from: finished students whose teachers are finished too.
 *
 * @param usable Ids of runs whose folders are complete and as planned.
 */
export function figureRuns(
  { pool, members }: Pick<TablePlan, 'pool' | 'members'>,
  usable: ReadonlySet<string>,
): readonly FigureRun[] {
  return members
    .filter(({ id, needs }) => [id, ...needs].every((each) => usable.has(each)))
    .map(({ id, combination: { dataset, method, case: name, seed }, teachers }) => ({
      dataset: name === undefined ? datasetName(dataset) : `${datasetName(dataset)}, ${name}`,
      method,
      seed,
      folder: join(pool.out, id),
      teachers: Object.fromEntries(
        Object.entries(teachers).map(([modality, teacher]) => [modality, join(pool.out, teacher)]),
      ),
    }));
}

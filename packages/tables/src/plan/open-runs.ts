import type { PlannedRun, SweepPool } from '@g2d/runs';
import type { PresentData } from './present-data.js';
import type { TablePlan } from './plan-table.js';

/**
 * What has to be trained for a table: the students that nobody has a result of, and the teachers that these need. A teacher whose own
 * scores are known, but whose weights are not here, is trained again if a student needs it.
 *
 * @param known Ids of runs with a result, from wherever.
 * @param finished Ids of runs whose folders are complete.
 * @param wanted Ids of teachers whose own scores the table has.
 */
export function openRuns(
  { pool, members }: Pick<TablePlan, 'pool' | 'members'>,
  {
    known,
    finished,
    wanted,
    absent,
  }: {
    readonly known: ReadonlySet<string>;
    readonly finished: ReadonlySet<string>;
    readonly wanted: ReadonlySet<string>;
    readonly absent: PresentData['absent'];
  },
): readonly PlannedRun[] {
  const present = members.filter(({ combination }) => !absent.has(combination.dataset));
  const students = new Set(present.flatMap(({ id }) => (known.has(id) ? [] : [id])));
  const needed = new Set(present.flatMap(({ id, needs }) => (students.has(id) ? needs : [])));
  const own = new Set(present.flatMap(({ needs }) => needs.filter((id) => wanted.has(id) && !known.has(id))));
  return pool.runs.filter(
    ({ id }) => students.has(id) || ((needed.has(id) || own.has(id)) && !finished.has(id)),
  );
}

/** A plan of these runs, and of the teachers that they need: those that are finished are not trained again. */
export function partOf(pool: SweepPool, open: readonly PlannedRun[]): SweepPool {
  const ids = new Set(open.flatMap(({ id, needs }) => [id, ...needs]));
  return { ...pool, runs: pool.runs.filter(({ id }) => ids.has(id)) };
}

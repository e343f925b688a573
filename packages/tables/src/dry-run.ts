import { printable } from '@g2d/core';
import type { PlannedRun } from '@g2d/runs';
import { costOf, costWords } from './plan/cost.js';
import type { TablePlan } from './plan/plan-table.js';
import type { PresentData } from './plan/present-data.js';
import type { KnownResults } from './results/known-results.js';

/** What a table would train, in lines. */
export function dryRun(
  plan: TablePlan,
  {
    known,
    data,
    open,
    processes,
  }: {
    readonly known: KnownResults;
    readonly data: PresentData;
    readonly open: readonly PlannedRun[];
    /** That are to train each run. */
    readonly processes: number;
  },
): string {
  const { pool, members } = plan;
  const students = new Set(members.map(({ id }) => id));
  const datasets = datasetsOf(plan);
  const results = pool.runs.flatMap((run) => {
    const result = known.results.get(run.id);
    return result ? [{ run, result, isOwn: known.finished.has(run.id) }] : [];
  });
  const cost = costOf(open, { datasets, sizes: data.sizes, results });
  const all = costOf(pool.runs, { datasets, sizes: data.sizes, results });
  const teachers = pool.runs.filter(({ id }) => !students.has(id)).length;
  const lines = [
    `Planned: ${students.size} students and ${teachers} teachers, in ${pool.out}: ${costWords(all)}.`,
    `Finished: ${known.finished.size}${known.fromFile > 0 ? `; ${known.fromFile} more from files of results` : ''}.`,
    open.length === 0
      ? 'To be trained: nothing.'
      : `To be trained: ${open.length} ${open.length === 1 ? 'run' : 'runs'}${processes > 1 ? `, on ${processes} processes each` : ''}: ${costWords(cost)}.`,
    ...[...data.absent].map(([dataset, message]) => `Waits for its data, ${dataset}: ${message}`),
    ...known.refused,
  ];
  return lines.map((line) => `${printable(line, { line: true })}\n`).join('');
}

/** By id, of teachers that of their students. */
export const datasetsOf = ({ members }: Pick<TablePlan, 'members'>): ReadonlyMap<string, string> =>
  new Map(
    members.flatMap(({ id, needs, combination }) =>
      [id, ...needs].map((each) => [each, combination.dataset] as const),
    ),
  );

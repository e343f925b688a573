import { ownValue } from '@g2d/core';
import { rankAmong, TEACHER_MEAN, wordsAmong } from './methods.js';
import type { Accuracies, PerModality, RunGroup } from './run.js';

/** One line of the table of results. Accuracies are test accuracies in percent. */
export interface ResultsRow {
  /** `teachers`, the name of a method, or `teacher-mean`. */
  readonly method: string;
  readonly label: string;
  /** `teachers`: each modality's own model. `reference`: something to compare with that is not trained jointly. */
  readonly kind: 'teachers' | 'student' | 'reference';
  readonly fused?: number;
  /** Accuracy of each modality's own head (its teacher's, in the row of the teachers). */
  readonly perModality: PerModality;
  /** Points of fused accuracy over joint training; absent for joint training itself and where there is none. */
  readonly gain?: number;
}

/**
 * The table of results as data, so that a terminal and a page print the same numbers.
 *
 * Rows: the teachers (each alone), the methods from joint training to G2D, the mean of the teachers' logits.
 *
 * @param group From `readRunGroup`; methods that were not run simply have no row.
 * @example
 * const rows = resultsTable(readRunGroup('packages/analysis/fixtures/run-group'));
 * console.log(formatTable(rows));
 */
export function resultsTable(group: RunGroup): ResultsRow[] {
  const results = testResults(group);
  const joint = results.get('joint')?.['fused'];
  const teachers = teacherAccuracies(group);
  const rows: ResultsRow[] = [];
  if (Object.keys(teachers).length > 0) {
    rows.push({ method: 'teachers', label: 'Teachers, each alone', kind: 'teachers', perModality: teachers });
  }
  const methods = [...results.keys()].sort((a, b) => rankAmong(group.runs, a) - rankAmong(group.runs, b));
  for (const method of methods) {
    const { fused, ...heads } = results.get(method) ?? {};
    rows.push({
      method,
      label: wordsAmong(group.runs, method).label + selectionMark(group, method),
      kind: method === TEACHER_MEAN ? 'reference' : 'student',
      ...(fused !== undefined && { fused }),
      perModality: pick(heads, group.modalities),
      ...(fused !== undefined && joint !== undefined && method !== 'joint' && { gain: fused - joint }),
    });
  }
  return rows;
}

// A result that was selected on the test split is never shown without saying so.
function selectionMark(group: RunGroup, method: string): string {
  const run = group.runs.find(({ name, config }) => name === method && config.kind === 'student');
  return run?.summary.select === 'test-best' ? ' (selected on test)' : '';
}

/** Test accuracy in percent of each modality's teacher, in the group's order of modalities. */
export function teacherAccuracies(group: RunGroup): PerModality {
  const fromRuns = group.runs
    .filter((run) => run.config.kind === 'teacher')
    .map((run) => run.summary.test)
    .reduce<Accuracies>((all, test) => ({ ...all, ...test }), {});
  return pick({ ...fromRuns, ...group.summary.teachers }, group.modalities);
}

function testResults(group: RunGroup): Map<string, Accuracies> {
  const results = new Map(Object.entries(group.summary.results).map(([method, { test }]) => [method, test]));
  for (const run of group.runs) {
    if (run.config.kind === 'student' && !results.has(run.name)) results.set(run.name, run.summary.test);
  }
  return results;
}

function pick(values: Accuracies, names: readonly string[]): PerModality {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = ownValue(values, name);
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

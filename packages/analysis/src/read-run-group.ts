import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FileFormatError, taskWords } from '@g2d/core';
import { isThere } from '@g2d/formats/node';
import { methodRank } from './methods.js';
import { groupSummarySchema, type GroupSummary } from '@g2d/core/run-folder';
import { readFile } from './read-file.js';
import { RUN_FILES, readRun } from './read-run.js';
import type { Run, RunGroup } from './run.js';
import { testDifference } from './same-data.js';

/**
 * Reads a folder of runs: its `summary.json` and every sub-folder that is a finished run.
 *
 * A sub-folder that has a `config.json` but lacks another file of a finished run (one that is still going, or was stopped) is
 * left out and named in `incomplete`. Other sub-folders are ignored.
 *
 * @param folder Path of the folder that holds the runs.
 * @throws {FileFormatError} If `summary.json` or a file of a finished run cannot be read, a run is of another task than classification, or two
 * runs were tested on other samples, labels or classes; the message names them.
 * @example
 * const group = readRunGroup('packages/analysis/fixtures/run-group');
 * console.log(group.runs.map((run) => run.name));
 */
export function readRunGroup(folder: string): RunGroup {
  const summary = readFile(join(folder, 'summary.json'), groupSummarySchema);
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && isThere(join(folder, entry.name, 'config.json')))
    .map((entry) => entry.name)
    .sort();
  const isComplete = (name: string): boolean => RUN_FILES.every((file) => isThere(join(folder, name, file)));
  const runs = names.filter(isComplete).map((name) => readRun(join(folder, name)));
  assertClassification(runs);
  assertSameTest(runs);
  runs.sort((a, b) => rank(a) - rank(b));
  return {
    folder,
    summary,
    runs: sortTeachers(runs),
    modalities: modalitiesOf(runs, summary),
    incomplete: names.filter((name) => !isComplete(name)),
  };
}

/** The table and the page of a folder are of accuracies. */
function assertClassification(runs: readonly Run[]): void {
  for (const { folder, summary } of runs) {
    const { task = 'classification' } = summary;
    if (task === 'classification') continue;
    throw new FileFormatError(
      folder,
      `it is a run of a ${taskWords(task)}, and the results of a folder are accuracies. Read such runs one by one and compare them: \`compareRuns\`, or g2d compare.`,
    );
  }
}

/** Their numbers stand beside each other. */
function assertSameTest([first, ...others]: readonly Run[]): void {
  for (const other of others) {
    const difference = first && testDifference(first, other);
    if (!difference) continue;
    throw new FileFormatError(
      other.folder,
      `its test split is not that of ${first.folder} (${difference.what}: ${difference.other}, there ${difference.first}), so that they cannot stand in one table. Train them on the same data, or take one of them away.`,
    );
  }
}

const rank = (run: Run): number => (run.config.kind === 'teacher' ? -1 : methodRank(run.config));

// Students name the modalities in the order their author chose; a group without students has only its teachers.
function modalitiesOf(runs: readonly Run[], summary: GroupSummary): string[] {
  const students = runs.filter((run) => run.config.kind === 'student');
  return [
    ...new Set([
      ...students.flatMap((run) => run.config.modalities),
      ...Object.keys(summary.teachers),
      ...runs.flatMap((run) => run.config.modalities),
    ]),
  ];
}

function sortTeachers(runs: readonly Run[]): Run[] {
  const order = runs.find((run) => run.config.kind === 'student')?.config.modalities ?? [];
  const position = (run: Run): number => order.indexOf(run.config.modalities[0] ?? '');
  const teachers = runs.filter((run) => run.config.kind === 'teacher');
  teachers.sort((a, b) => position(a) - position(b));
  return [...teachers, ...runs.filter((run) => run.config.kind === 'student')];
}

import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { FileFormatError } from '@g2d/core';
import { fail, isNumbers, numbersField, readObject, recordField, stringsField } from './read-fields.js';
import { readConfig } from './read-config.js';
import { readMetrics } from './read-metrics.js';
import { readSummary } from './read-summary.js';
import { readTeachers } from './read-teachers.js';
import type { Run, RunPredictions, StartedRun } from './run.js';

/** The files that every finished run has. `predictions.json` may be absent. */
export const RUN_FILES = ['config.json', 'metrics.jsonl', 'summary.json'] as const;

/**
 * Reads one finished run folder: `config.json`, `metrics.jsonl`, `summary.json` and, where it is there,
 * `predictions.json`.
 *
 * @param folder Path of the run folder.
 * @throws {FileFormatError} If a file is missing, is not JSON or lacks a field the report needs. The message
 *   names the file, and the line in `metrics.jsonl`.
 * @example
 * const run = readRun('packages/analysis/fixtures/run-group/joint');
 * console.log(run.config.method, run.summary.test.fused);
 */
export function readRun(folder: string): Run {
  const run = readStartedRun(folder);
  const { summary } = run;
  if (summary === undefined) {
    const path = join(folder, 'summary.json');
    throw new FileFormatError(
      path,
      'is missing: this run is not finished. Let it finish, or read it with `readStartedRun`.',
    );
  }
  return { ...run, summary };
}

/**
 * Reads a run folder that may belong to a run that is still going, or was stopped: `summary` is absent then, and a last
 * line of `metrics.jsonl` that is only half written is left out.
 *
 * @param folder Path of the run folder.
 * @throws {FileFormatError} As `readRun`, but not for what only a finished run has.
 * @example
 * const { metrics, config, summary } = readStartedRun('packages/analysis/fixtures/run-group/joint');
 * console.log(summary ? 'finished' : `${metrics.length} of ${config.epochs} epochs`);
 */
export function readStartedRun(folder: string): StartedRun {
  const config = readConfig(join(folder, 'config.json'));
  const has = (file: string): boolean => existsSync(join(folder, file));
  const isFinished = has('summary.json');
  const summary = isFinished ? readSummary(join(folder, 'summary.json')) : undefined;
  const teachers = readTeachers(folder, config);
  return {
    name: basename(resolve(folder)),
    folder,
    config,
    metrics:
      isFinished || has('metrics.jsonl') ? readMetrics(join(folder, 'metrics.jsonl'), { isFinished }) : [],
    ...(summary && { summary }),
    ...(has('predictions.json') && { predictions: readPredictions(join(folder, 'predictions.json')) }),
    ...(Object.keys(teachers).length > 0 && { teachers }),
  };
}

function readPredictions(path: string): RunPredictions {
  const source = readObject(path);
  const ids = stringsField(source, 'ids');
  const classNames = stringsField(source, 'classNames');
  if (classNames.length === 0) return { ids, classNames, ...readNumbers(path, ids.length) };
  const isClass = (id: number): boolean => Number.isInteger(id) && id >= 0 && id < classNames.length;
  const labels = numbersField(source, 'labels');
  const expected = `${ids.length} class ids (one per entry of \`ids\`), each from 0 to ${classNames.length - 1}`;
  if (labels.length !== ids.length || !labels.every(isClass)) return fail(source, 'labels', expected);
  const predictions = recordField(source, 'predictions', `lists of ${expected}`, (list) =>
    isNumbers(list) && list.length === ids.length && list.every(isClass) ? list : undefined,
  );
  return { ids, labels, classNames, predictions };
}

/** A regression: targets and predictions are numbers; `null` is how JSON writes one that is not finite. */
function readNumbers(path: string, count: number): Pick<RunPredictions, 'labels' | 'predictions'> {
  const source = readObject(path);
  const read = (list: unknown): number[] | undefined => {
    if (!Array.isArray(list) || list.length !== count) return undefined;
    const numbers = list.map((value) => (value === null ? Number.NaN : value));
    return isNumbers(numbers) ? numbers : undefined;
  };
  const expected = `${count} numbers (one per entry of \`ids\`; a regression has no \`classNames\`)`;
  const labels = read(source.object['labels']) ?? fail(source, 'labels', expected);
  return { labels, predictions: recordField(source, 'predictions', `lists of ${expected}`, read) };
}

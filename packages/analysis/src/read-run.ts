import { basename, join, resolve } from 'node:path';
import { FileFormatError } from '@g2d/core';
import { isThere } from '@g2d/formats/node';
import { predictionsSchema, recordedConfigSchema, summarySchema } from '@g2d/core/run-folder';
import { readFile } from './read-file.js';
import { readMetrics } from './read-metrics.js';
import { readEncoderRuns, readTeachers } from './read-teachers.js';
import type { Run, StartedRun } from './run.js';

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
 * @throws {FileFormatError} As `readRun`, but not for what only a finished run has. What is there and cannot be read is an error, never
 *   taken for absent.
 * @example
 * const { metrics, config, summary } = readStartedRun('packages/analysis/fixtures/run-group/joint');
 * console.log(summary ? 'finished' : `${metrics.length} of ${config.epochs} epochs`);
 */
export function readStartedRun(folder: string): StartedRun {
  const config = readFile(join(folder, 'config.json'), recordedConfigSchema);
  const has = (file: string): boolean => isThere(join(folder, file));
  const isFinished = has('summary.json');
  const summary = isFinished ? readFile(join(folder, 'summary.json'), summarySchema) : undefined;
  const teachers = readTeachers(folder, config);
  const encoderRuns = readEncoderRuns(config);
  return {
    name: basename(resolve(folder)),
    folder,
    config,
    metrics:
      isFinished || has('metrics.jsonl') ? readMetrics(join(folder, 'metrics.jsonl'), { isFinished }) : [],
    ...(summary && { summary }),
    ...(has('predictions.json') && {
      predictions: readFile(join(folder, 'predictions.json'), predictionsSchema),
    }),
    ...(Object.keys(teachers).length > 0 && { teachers }),
    ...(Object.keys(encoderRuns).length > 0 && { encoderRuns }),
  };
}

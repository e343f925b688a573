import { basename, join, resolve } from 'node:path';
import { FileFormatError } from '@g2d/tensor-ops';
import {
  fail,
  isNumbers,
  numberField,
  numberRecordField,
  numbersField,
  optional,
  parseObject,
  readObject,
  readText,
  recordField,
  stringField,
  stringsField,
} from './read-fields.js';
import type { EpochMetrics, Run, RunConfig, RunPredictions, RunSummary } from './run.js';

/** The files a finished run has. */
export const RUN_FILES = ['config.json', 'metrics.jsonl', 'summary.json', 'predictions.json'] as const;

/**
 * Reads one run folder: `config.json`, `metrics.jsonl`, `summary.json` and `predictions.json`.
 *
 * @param folder Path of the run folder.
 * @throws {FileFormatError} If a file is missing, is not JSON or lacks a field the report needs. The message
 *   names the file, and the line in `metrics.jsonl`.
 * @example
 * const run = readRun('packages/analysis/fixtures/run-group/joint');
 * console.log(run.config.method, run.summary.test.fused);
 */
export function readRun(folder: string): Run {
  return {
    name: basename(resolve(folder)),
    folder,
    config: readConfig(join(folder, 'config.json')),
    metrics: readMetrics(join(folder, 'metrics.jsonl')),
    summary: readSummary(join(folder, 'summary.json')),
    predictions: readPredictions(join(folder, 'predictions.json')),
  };
}

function readConfig(path: string): RunConfig {
  const source = readObject(path);
  const { kind } = source.object;
  if (kind !== 'teacher' && kind !== 'student') return fail(source, 'kind', '"teacher" or "student"');
  const name = stringField(source, 'name');
  const modalities = stringsField(source, 'modalities');
  if (modalities.length === 0) return fail(source, 'modalities', 'a list of at least one name');
  return {
    method: kind === 'teacher' ? 'teacher' : name,
    // Keys that are not known here stay: the settings table shows the whole configuration.
    ...source.object,
    name,
    kind,
    modalities,
    seed: numberField(source, 'seed'),
    epochs: numberField(source, 'epochs'),
    ...optional(source, 'method', stringField),
    ...optional(source, 'phaseEpochs', numbersField),
    ...optional(source, 'dropAfter', numbersField),
    ...optional(source, 'scope', stringField),
  };
}

function readMetrics(path: string): EpochMetrics[] {
  const metrics: EpochMetrics[] = [];
  for (const [index, text] of readText(path).split('\n').entries()) {
    if (text.trim() === '') continue;
    const source = parseObject(text, path, `line ${index + 1}: `);
    metrics.push({
      epoch: numberField(source, 'epoch'),
      loss: numberRecordField(source, 'loss'),
      train: numberRecordField(source, 'train'),
      ...optional(source, 'learningRate', numberField),
      ...optional(source, 'seconds', numberField),
      ...optional(source, 'memoryMB', numberField),
      ...optional(source, 'validation', numberRecordField),
      ...optional(source, 'confidence', numberRecordField),
      ...optional(source, 'coefficients', numberRecordField),
    });
  }
  if (metrics.length === 0) throw new FileFormatError(path, 'has no line; expected one per epoch.');
  return metrics;
}

function readSummary(path: string): RunSummary {
  const source = readObject(path);
  return {
    name: stringField(source, 'name'),
    seed: numberField(source, 'seed'),
    epochs: numberField(source, 'epochs'),
    ...optional(source, 'seconds', numberField),
    ...optional(source, 'selectedEpoch', numberField),
    test: numberRecordField(source, 'test'),
    validation: numberRecordField(source, 'validation'),
    confusion: recordField(source, 'confusion', 'square tables of counts, one per head', (table) =>
      Array.isArray(table) && table.every((row) => isNumbers(row) && row.length === table.length)
        ? (table as number[][])
        : undefined,
    ),
  };
}

function readPredictions(path: string): RunPredictions {
  const source = readObject(path);
  const ids = stringsField(source, 'ids');
  const classNames = stringsField(source, 'classNames');
  const isClass = (id: number): boolean => Number.isInteger(id) && id >= 0 && id < classNames.length;
  const labels = numbersField(source, 'labels');
  const expected = `${ids.length} class ids (one per entry of \`ids\`), each from 0 to ${classNames.length - 1}`;
  if (labels.length !== ids.length || !labels.every(isClass)) return fail(source, 'labels', expected);
  const predictions = recordField(source, 'predictions', `lists of ${expected}`, (list) =>
    isNumbers(list) && list.length === ids.length && list.every(isClass) ? list : undefined,
  );
  return { ids, labels, classNames, predictions };
}

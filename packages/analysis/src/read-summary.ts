import { selectionField } from './read-config.js';
import {
  fail,
  isNumbers,
  isObject,
  numberField,
  numberRecordField,
  optional,
  partMetricsField,
  readObject,
  recordField,
  stringField,
  type Source,
} from './read-fields.js';
import type { ClassScores, RunSummary, Task } from './run.js';

/** Reads `summary.json` of a run. */
export function readSummary(path: string): RunSummary {
  const source = readObject(path);
  return {
    name: stringField(source, 'name'),
    seed: numberField(source, 'seed'),
    epochs: numberField(source, 'epochs'),
    ...optional(source, 'dataset', stringField),
    ...optional(source, 'task', taskField),
    ...optional(source, 'select', selectionField),
    ...optional(source, 'seconds', numberField),
    ...optional(source, 'stages', numberRecordField),
    ...optional(source, 'selectedEpoch', numberField),
    test: numberRecordField(source, 'test'),
    validation: optional(source, 'validation', numberRecordField).validation ?? {},
    ...optional(source, 'metrics', partMetricsField),
    ...optional(source, 'perClass', perClassField),
    confusion: optional(source, 'confusion', confusionField).confusion ?? {},
  };
}

function taskField(source: Source, key: string): Task {
  const value = source.object[key];
  if (value === 'classification' || value === 'regression') return value;
  return fail(source, key, '"classification" or "regression"');
}

function confusionField(source: Source, key: string): Record<string, number[][]> {
  return recordField(source, key, 'square tables of counts, one per head', (table) =>
    Array.isArray(table) && table.every((row) => isNumbers(row) && row.length === table.length)
      ? (table as number[][])
      : undefined,
  );
}

function perClassField(source: Source, key: string): Record<string, ClassScores[]> {
  const expected = 'lists of { precision, recall, f1, support }, one per head';
  return recordField(source, key, expected, (list) => {
    if (!Array.isArray(list)) return undefined;
    const scores = list.map(classScores);
    return scores.every((one) => one !== undefined) ? scores : undefined;
  });
}

function classScores(value: unknown): ClassScores | undefined {
  if (!isObject(value) || typeof value['support'] !== 'number') return undefined;
  const score = (key: 'precision' | 'recall' | 'f1'): Partial<ClassScores> =>
    typeof value[key] === 'number' ? { [key]: value[key] } : {};
  return { ...score('precision'), ...score('recall'), ...score('f1'), support: value['support'] };
}

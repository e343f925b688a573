import {
  fail,
  isObject,
  numberField,
  numbersField,
  objectField,
  optional,
  readObject,
  recordField,
  stringField,
  stringsField,
  type Source,
} from './read-fields.js';
import type { RunConfig, Selection } from './run.js';

const SELECTIONS: readonly Selection[] = ['validation-best', 'test-best', 'last'];

/** Reads `config.json`. What a report relies on is checked; every other setting stays as it is. */
export function readConfig(path: string): RunConfig {
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
    ...optional(source, 'methodOptions', (from, key) =>
      recordField(from, key, 'an object of options by method', (value) =>
        isObject(value) ? value : undefined,
      ),
    ),
    ...optional(source, 'dataset', objectField),
    ...optional(source, 'teachers', (from, key) =>
      recordField(from, key, 'an object of folders by modality', (value) =>
        typeof value === 'string' ? value : undefined,
      ),
    ),
    ...optional(source, 'select', selectionField),
    ...optional(source, 'environment', objectField),
    ...optional(source, 'phaseEpochs', numbersField),
    ...optional(source, 'scope', stringField),
  };
}

/** One of the three ways to choose an epoch. */
export function selectionField(source: Source, key: string): Selection {
  const value = source.object[key];
  const selection = SELECTIONS.find((known) => known === value);
  return selection ?? fail(source, key, `one of ${SELECTIONS.map((known) => `"${known}"`).join(', ')}`);
}

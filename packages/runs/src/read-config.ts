import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { FileFormatError, OptionError } from '@g2d/core';
import { RECORDED_KEYS } from '@g2d/core/run-folder';
import { z } from 'zod';
import { configSchema, type RunConfig } from './config-schema.js';

/**
 * Reads a configuration file: JSON of `configSchema`, or the `config.json` of a run folder.
 *
 * @param changes `key=value` → value, the key with dots: `optimizer.learningRate`. They stand above the file.
 * @throws {FileFormatError} If the file is no JSON.
 * @throws {OptionError} If it cannot be read, or a key is unknown or its value impossible; the message names key and what is accepted.
 */
export function readConfig(path: string, changes: Readonly<Record<string, unknown>> = {}): RunConfig {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it does not exist' : String(error);
    throw new OptionError(
      `The configuration ${path} cannot be read: ${reason}. Give the path of a JSON file; g2d train --help shows one.`,
      { option: 'config', value: path, accepted: 'a JSON file' },
    );
  }
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch (error) {
    throw new FileFormatError(path, `it is not JSON: ${(error as Error).message}`);
  }
  return parseConfig(values, { where: path, changes });
}

/**
 * Checks a configuration and fills in the defaults.
 *
 * @throws {OptionError} As `readConfig`.
 */
export function parseConfig(
  values: unknown,
  {
    where = 'the configuration',
    changes = {},
  }: { readonly where?: string; readonly changes?: Readonly<Record<string, unknown>> } = {},
): RunConfig {
  let settings = values;
  if (isObject(values)) {
    const own = Object.fromEntries(Object.entries(values).filter(([key]) => !RECORDED_KEYS.includes(key)));
    settings = Object.entries(changes).reduce<unknown>(
      (all, [key, value]) => withValue(all, key, value),
      own,
    );
  }
  const result = configSchema.safeParse(settings);
  if (result.success) return result.data;
  const [issue] = result.error.issues as [z.core.$ZodIssue];
  throw explained(issue, settings, where);
}

/** A copy with one value changed, at a key with dots. */
function withValue(values: unknown, key: string, value: unknown): unknown {
  const [first, ...rest] = key.split('.') as [string, ...string[]];
  if (Array.isArray(values)) {
    if (!(Number(first) < values.length)) {
      throw new OptionError(
        `There is no entry ${first} in a list of ${values.length}: "${key}" changes nothing.`,
        {
          option: key,
          value: first,
          accepted: `0 to ${values.length - 1}`,
        },
      );
    }
    return values.map((entry: unknown, i) =>
      String(i) === first ? (rest.length > 0 ? withValue(entry, rest.join('.'), value) : value) : entry,
    );
  }
  const record = isObject(values) ? values : {};
  return { ...record, [first]: rest.length > 0 ? withValue(record[first], rest.join('.'), value) : value };
}

function explained(issue: z.core.$ZodIssue, values: unknown, where: string): OptionError {
  if (issue.code === 'unrecognized_keys') {
    const key = [...issue.path, issue.keys[0] as string].map(String).join('.');
    const known = knownKeys(issue.path, values);
    return new OptionError(
      `${capital(where)} has an unknown key "${key}"; known here: ${known.join(', ')}.`,
      {
        option: key,
        value: valueAt(values, issue.path.concat(issue.keys[0] as string)),
        accepted: known.join(', '),
      },
    );
  }
  const key = issue.path.map(String).join('.');
  const value = valueAt(values, issue.path);
  const accepted = acceptedOf(issue);
  const came = value === undefined ? 'is missing' : `is ${JSON.stringify(value)}`;
  return new OptionError(
    key === ''
      ? `${capital(where)} must be a JSON object.`
      : `In ${where}, "${key}" ${came}; it must be ${accepted}.`,
    { option: key, value, accepted },
  );
}

/** What a value must be, in words. */
function acceptedOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'int' ? 'a whole number' : article(WORDS[issue.expected] ?? issue.expected);
    case 'invalid_value':
      return issue.values.map((value) => JSON.stringify(value)).join(', ');
    case 'too_small':
      return issue.origin === 'array'
        ? `a list of at least ${issue.minimum}`
        : issue.origin === 'string'
          ? 'a text that is not empty'
          : `${issue.inclusive ? 'at least' : 'above'} ${issue.minimum}`;
    case 'too_big':
      return `${issue.inclusive ? 'at most' : 'below'} ${issue.maximum}`;
    case 'invalid_union':
      return unionWords(issue);
    default:
      return issue.message.replace(/^Invalid input: /, '');
  }
}

/** A union without a key that tells its forms apart, or with a wrong one. */
function unionWords(issue: z.core.$ZodIssueInvalidUnion): string {
  const { options } = issue as { readonly options?: readonly unknown[] };
  if (options) return options.map((option) => JSON.stringify(option)).join(', ');
  return [...new Set(issue.errors.flatMap(([first]) => (first ? [acceptedOf(first)] : [])))].join(', or ');
}

/** JavaScript's types in the words of JSON. */
const WORDS: Readonly<Record<string, string>> = { string: 'text', array: 'list', record: 'object' };

const capital = (text: string): string => text.replace(/^the /, 'The ');

const article = (noun: string): string => (/^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`);

/** The keys that an object of the configuration may have. */
function knownKeys(path: readonly PropertyKey[], values: unknown): string[] {
  let schema: z.core.JSONSchema.BaseSchema | undefined = jsonSchema();
  const root = schema;
  for (const [depth, key] of path.entries()) {
    schema = narrowed(schema, valueAt(values, path.slice(0, depth)));
    const next: unknown = schema?.properties?.[String(key)] ?? schema?.items ?? schema?.additionalProperties;
    schema = typeof next === 'object' ? (next as z.core.JSONSchema.BaseSchema) : undefined;
  }
  schema = narrowed(schema, valueAt(values, path));
  return Object.keys((schema ?? root).properties ?? {});
}

/** Of several forms, the one that a value's constants select. */
function narrowed(
  schema: z.core.JSONSchema.BaseSchema | undefined,
  value: unknown,
): z.core.JSONSchema.BaseSchema | undefined {
  const forms = schema?.oneOf ?? schema?.anyOf;
  if (!forms) return schema;
  const record = isObject(value) ? value : {};
  const fits = (form: z.core.JSONSchema.BaseSchema): boolean =>
    form.oneOf
      ? form.oneOf.some((inner) => fits(inner as z.core.JSONSchema.BaseSchema))
      : Object.entries(form.properties ?? {}).every(
          ([key, property]) =>
            typeof property !== 'object' || property.const === undefined || property.const === record[key],
        );
  const form = forms.find((candidate) => fits(candidate as z.core.JSONSchema.BaseSchema));
  return narrowed(form as z.core.JSONSchema.BaseSchema | undefined, value);
}

/** The configuration as a JSON Schema, for editors: `"$schema"` in a file points there. */
export const jsonSchema = (): z.core.JSONSchema.BaseSchema => ({
  ...z.toJSONSchema(configSchema, { io: 'input' }),
  title: 'A run of G2D',
});

function valueAt(values: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    values,
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Settings that change speed, safety and places, never the numbers: a resumed run may have others. */
const FREE = [
  '$schema',
  'data.workers',
  'data.prefetch',
  'data.cache',
  'data.inMemory',
  'checkpoints',
  // The same files may lie elsewhere by now; a run that goes on has copies of its teachers.
  'dataset.root',
  'teachers',
];

/**
 * The first setting in which two configurations differ and a resumed run must not.
 *
 * @returns Its key, with the two values.
 */
export function firstDifference(
  begun: RunConfig,
  now: RunConfig,
): { readonly key: string; readonly begun: unknown; readonly now: unknown } | undefined {
  return differences(begun, now, '').find(
    ({ key }) => !FREE.some((free) => key === free || key.startsWith(`${free}.`)),
  );
}

function differences(
  begun: unknown,
  now: unknown,
  key: string,
): { key: string; begun: unknown; now: unknown }[] {
  if (isObject(begun) && isObject(now)) {
    const keys = [...new Set([...Object.keys(begun), ...Object.keys(now)])];
    return keys.flatMap((name) => differences(begun[name], now[name], key === '' ? name : `${key}.${name}`));
  }
  return isDeepStrictEqual(begun, now) ? [] : [{ key, begun, now }];
}

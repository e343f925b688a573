import { readFileSync } from 'node:fs';
import { checkKeys, checkOptions, OptionError, ownValue } from '@g2d/core';
import { parseJson, RECORDED_KEYS, recordedFactsSchema } from '@g2d/core/run-folder';
import { z } from 'zod';
import { configSchema, type RunConfig } from './config-schema.js';
import { isObject } from './differences.js';
import { currentSettings, refuseOldSettings } from './legacy-settings.js';
import { currentMethodOptions, refuseOldMethodOptions } from './legacy-method-options.js';

/**
 * Reads a configuration file: JSON of `configSchema`, or the `config.json` of a run folder.
 *
 * @param changes `key=value` → value, the key with dots: `optimizer.learningRate`. They stand above the file.
 * @throws {FileFormatError} If the file is no JSON.
 * @throws {OptionError} If it cannot be read, or a key is unknown or its value impossible; the message names key and what is accepted.
 */
export function readConfig(path: string, changes: Readonly<Record<string, unknown>> = {}): RunConfig {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it does not exist' : String(error);
    throw new OptionError(
      `The configuration ${path} cannot be read: ${reason}. Give the path of a JSON file; g2d train --help shows one.`,
      { option: 'config', value: path, accepted: 'a JSON file' },
    );
  }
  return parseConfig(parseJson(bytes, { path }), { where: path, changes });
}

/**
 * Checks a configuration and fills in the defaults.
 *
 * @throws {OptionError} As `readConfig`.
 */
export function parseConfig(
  values: unknown,
  options: { readonly where?: string; readonly changes?: Readonly<Record<string, unknown>> } = {},
): RunConfig {
  const { where = 'the configuration', changes = {} } = checkKeys(
    options,
    { where: true, changes: true },
    'parseConfig',
  );
  let settings = values;
  if (isObject(values)) {
    const own = Object.fromEntries(Object.entries(values).filter(([key]) => !RECORDED_KEYS.includes(key)));
    // A run folder may be one of an earlier version.
    const current = 'format' in values ? currentSettings(currentMethodOptions(own)) : own;
    settings = Object.entries(changes).reduce<unknown>(
      (all, [key, value]) => withValue(all, key, value),
      current,
    );
    if (isObject(settings)) {
      refuseOldMethodOptions(settings, where);
      refuseOldSettings(settings, where);
    }
  }
  return checkOptions(configSchema, settings, { where });
}

/** A copy with one value changed, at a key with dots. */
function withValue(values: unknown, key: string, value: unknown): unknown {
  const [first, ...rest] = key.split('.') as [string, ...string[]];
  if (Array.isArray(values)) {
    if (!Object.hasOwn(values, first) || first === 'length') {
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
  return {
    ...record,
    [first]: rest.length > 0 ? withValue(ownValue(record, first), rest.join('.'), value) : value,
  };
}

/**
 * The configuration as a JSON Schema, for editors: `"$schema"` in a file points there. What a run records beside its settings is in it,
 * for the `config.json` of a run folder is a configuration too.
 */
export function jsonSchema(): z.core.JSONSchema.BaseSchema {
  const written = (schema: z.ZodType): z.core.JSONSchema.BaseSchema =>
    z.toJSONSchema(schema, {
      io: 'input',
      // Nobody's answer is to be left alone: these are lists that the program does not change.
      override: ({ jsonSchema }) => void delete jsonSchema.readOnly,
    });
  const settings = written(configSchema);
  const recorded = written(recordedFactsSchema);
  return {
    ...settings,
    properties: { ...settings.properties, ...recorded.properties },
    title: 'A run of G2D',
  };
}

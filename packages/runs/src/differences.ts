import { ownValue, shown } from '@g2d/core';
import { isDeepStrictEqual } from 'node:util';
import type { RunConfig } from './config-schema.js';
import { OLD_MASKS } from './legacy-settings.js';

/** Settings that change speed, safety and places, never the numbers: a resumed run may have others. */
const FREE = [
  '$schema',
  'data.workers',
  'data.prefetch',
  'data.cache',
  'data.inMemory',
  'checkpoints',
  'evaluation.batchSize',
  // The same files may lie elsewhere by now; a run that goes on has copies of its teachers.
  'dataset.root',
  'teachers',
  // What was allowed is recorded.
  'allowChanged',
];

/**
 * The first setting in which two configurations differ and a resumed run must not.
 *
 * @param changeable Further settings that it may have otherwise.
 * @returns Its key, with the two values.
 */
export function firstDifference(
  begun: RunConfig,
  now: RunConfig,
  changeable: readonly string[] = [],
): { readonly key: string; readonly begun: unknown; readonly now: unknown } | undefined {
  return differences(begun, now, '').find(({ key }) => !isFree(key, changeable));
}

function differences(
  begun: unknown,
  now: unknown,
  key: string,
): { key: string; begun: unknown; now: unknown }[] {
  if (isObject(begun) && isObject(now)) {
    const keys = [...new Set([...Object.keys(begun), ...Object.keys(now)])];
    return keys.flatMap((name) =>
      differences(ownValue(begun, name), ownValue(now, name), key === '' ? name : `${key}.${name}`),
    );
  }
  return isDeepStrictEqual(begun, now) ? [] : [{ key, begun, now }];
}

/** The settings that decide on the numbers of a run, by their keys, in the order of these. */
export const decisiveSettings = (
  config: RunConfig,
  changeable: readonly string[],
): readonly (readonly [string, unknown])[] => {
  const free: ReadonlySet<string> = new Set([...FREE, ...changeable]);
  const found: [string, unknown][] = [];
  // A part of what is free is free.
  const collect = (value: unknown, key: string): void => {
    if (value === undefined || free.has(key)) return;
    if (isObject(value)) for (const name of Object.keys(value)) collect(value[name], `${key}.${name}`);
    else if (!isEarlierDefault(key, value)) found.push([key, value]);
  };
  for (const [key, value] of Object.entries(config)) collect(value, key);
  return found.sort(([a], [b]) => (a < b ? -1 : 1));
};

/** What earlier versions did, and had no word for. */
const isEarlierDefault = (key: string, value: unknown): boolean =>
  key === 'data.missing.modalities' && value === OLD_MASKS.modalities;

const isFree = (key: string, changeable: readonly string[]): boolean =>
  [...FREE, ...changeable].some((free) => key === free || key.startsWith(`${free}.`));

/** One side of a difference, for errors. */
export const written = (value: unknown): string => (value === undefined ? 'not set' : shown(value));

/** Whether a value of JSON is an object. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

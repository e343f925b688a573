import { readFileSync } from 'node:fs';
import { FileFormatError } from '@g2d/core';

/** An object that came out of a JSON file, with what an error about it has to name. */
export interface Source {
  readonly path: string;
  /** Where in the file: empty, or for example `line 3: `. */
  readonly at: string;
  readonly object: Readonly<Record<string, unknown>>;
}

/** Parses one JSON object. */
export function parseObject(text: string, path: string, at = ''): Source {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FileFormatError(path, `${at}not valid JSON (${(error as Error).message}).`);
  }
  if (!isObject(value)) throw new FileFormatError(path, `${at}expected a JSON object, got ${kindOf(value)}.`);
  return { path, at, object: value };
}

/** Reads a file that holds one JSON object. */
export function readObject(path: string): Source {
  return parseObject(readText(path), path);
}

/** Reads a text file; a missing one is an error that says what it would have been. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new FileFormatError(path, `cannot be read (${(error as Error).message}).`);
  }
}

/** Throws an error that names the file, the place in it, what was expected and what is there. */
export function fail(source: Source, key: string, expected: string): never {
  const value = source.object[key];
  const actual = value === undefined ? 'it is missing' : `got ${kindOf(value)}`;
  throw new FileFormatError(source.path, `${source.at}\`${key}\` must be ${expected}; ${actual}.`);
}

export function stringField(source: Source, key: string): string {
  const value = source.object[key];
  return typeof value === 'string' ? value : fail(source, key, 'a string');
}

export function numberField(source: Source, key: string): number {
  const value = source.object[key];
  return typeof value === 'number' ? value : fail(source, key, 'a number');
}

export function numbersField(source: Source, key: string): number[] {
  const value = source.object[key];
  return isNumbers(value) ? value : fail(source, key, 'a list of numbers');
}

export function stringsField(source: Source, key: string): string[] {
  const value = source.object[key];
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value as string[];
  return fail(source, key, 'a list of strings');
}

/** A record of numbers. `null` is how JSON writes NaN and infinity: such entries are left out. */
export function numberRecordField(source: Source, key: string): Record<string, number> {
  const value = source.object[key];
  if (!isObject(value)) return fail(source, key, 'an object of numbers');
  const entries = Object.entries(value).filter(([, number]) => number !== null);
  if (entries.some(([, number]) => typeof number !== 'number')) {
    return fail(source, key, 'an object of numbers');
  }
  return Object.fromEntries(entries) as Record<string, number>;
}

/** A record whose values are read one by one. */
export function recordField<T>(
  source: Source,
  key: string,
  expected: string,
  read: (value: unknown) => T | undefined,
): Record<string, T> {
  const value = source.object[key];
  if (!isObject(value)) return fail(source, key, expected);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, read(item) ?? fail(source, key, expected)]),
  );
}

/** A record of any content. */
export function objectField(source: Source, key: string): Record<string, unknown> {
  const value = source.object[key];
  return isObject(value) ? value : fail(source, key, 'an object');
}

/** Numbers by part of the data, head and metric. `null` is left out as in `numberRecordField`. */
export function partMetricsField(
  source: Source,
  key: string,
): Record<string, Record<string, Record<string, number>>> {
  const expected = 'an object of { validation, test }, each with numbers by head and metric';
  return recordField(source, key, expected, (part) => {
    if (!isObject(part)) return undefined;
    const inner = { ...source, at: `${source.at}\`${key}\`: `, object: part };
    return Object.fromEntries(Object.keys(part).map((head) => [head, numberRecordField(inner, head)]));
  });
}

/** `{ key: value }` where the file has the key, `{}` where it has not. */
export function optional<K extends string, T>(
  source: Source,
  key: K,
  read: (source: Source, key: K) => T,
): Partial<Record<K, T>> {
  const value = source.object[key];
  if (value === undefined || value === null) return {};
  return { [key]: read(source, key) } as Partial<Record<K, T>>;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return `${typeof value} ${JSON.stringify(value)}`;
}

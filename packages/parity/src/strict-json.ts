import { readFileSync } from 'node:fs';
import { FileFormatError } from '@g2d/core';

/** A value of a JSON file, and where it stands: `steps[0].labels`, empty for the whole file. */
export interface Place {
  readonly file: string;
  readonly at: string;
}

/** Turns a JSON value into what it should be, or throws a `FileFormatError` that names its place. */
export type Reader<T> = (value: unknown, place: Place) => T;

/** Reads a JSON file. A missing or truncated one is an error too. */
export function readJson<T>(file: string, reader: Reader<T>): T {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new FileFormatError(file, `cannot be read (${(error as Error).message}).`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FileFormatError(file, `is not valid JSON (${(error as Error).message}). Is it truncated?`);
  }
  return reader(value, { file, at: '' });
}

/** Throws an error that says what was expected at a place and what is there. */
export function wrong({ file, at }: Place, expected: string, value: unknown): never {
  const actual = value === undefined ? 'it is missing' : `it is ${describe(value)}`;
  throw new FileFormatError(file, `${at === '' ? 'the file' : `\`${at}\``} must be ${expected}; ${actual}.`);
}

function describe(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}

/** The place of a field or of an entry. */
export const inside = ({ file, at }: Place, key: string | number): Place => ({
  file,
  at: typeof key === 'number' ? `${at}[${key}]` : at === '' ? key : `${at}.${key}`,
});

export function jsonObject(value: unknown, place: Place): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  return wrong(place, 'an object', value);
}

/** Throws if an object has a key that is not one of those known. */
export function onlyKeys(value: unknown, known: readonly string[], place: Place): void {
  for (const key of Object.keys(jsonObject(value, place))) {
    if (known.includes(key)) continue;
    const where = place.at === '' ? 'this file' : `\`${place.at}\``;
    throw new FileFormatError(
      place.file,
      `the key \`${inside(place, key).at}\` is not known; the keys of ${where} are ${known.join(', ')}.`,
    );
  }
}

/** An object with exactly these keys. */
export const object =
  <T extends object>(fields: { readonly [K in keyof T]: Reader<T[K]> }): Reader<T> =>
  (value, place) => {
    const given = jsonObject(value, place);
    const keys = Object.keys(fields) as (keyof T & string)[];
    onlyKeys(value, keys, place);
    return Object.fromEntries(keys.map((key) => [key, fields[key](given[key], inside(place, key))])) as T;
  };

/** An object whose other keys depend on the value of one. */
export const variant =
  <T>(tag: string, variants: Readonly<Record<string, Reader<T>>>): Reader<T> =>
  (value, place) => {
    const name = oneOf(...Object.keys(variants))(jsonObject(value, place)[tag], inside(place, tag));
    return (variants[name] as Reader<T>)(value, place);
  };

/** One of a few words. */
export const oneOf =
  <const T extends string>(...accepted: readonly T[]): Reader<T> =>
  (value, place) =>
    accepted.find((word) => word === value) ??
    wrong(place, accepted.map((word) => JSON.stringify(word)).join(' or '), value);

export const text: Reader<string> = (value, place) =>
  typeof value === 'string' && value !== '' ? value : wrong(place, 'a text that is not empty', value);

export const flag: Reader<boolean> = (value, place) =>
  typeof value === 'boolean' ? value : wrong(place, 'true or false', value);

/** A finite number, at least `min` or more than `above`. */
export const number =
  ({ min = -Infinity, above = -Infinity } = {}): Reader<number> =>
  (value, place) => {
    const range = Number.isFinite(min)
      ? ` of at least ${min}`
      : Number.isFinite(above)
        ? ` above ${above}`
        : '';
    return typeof value === 'number' && Number.isFinite(value) && value >= min && value > above
      ? value
      : wrong(place, `a finite number${range}`, value);
  };

/** A whole number in [min, max]. */
export const integer =
  ({ min = -Number.MAX_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = {}): Reader<number> =>
  (value, place) => {
    if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) {
      return value as number;
    }
    const range =
      max < Number.MAX_SAFE_INTEGER ? ` from ${min} to ${max}` : min >= 0 ? ` of at least ${min}` : '';
    return wrong(place, `a whole number${range}`, value);
  };

/** A list of any length but 0, or of the length that is given. */
export const list =
  <T>(entry: Reader<T>, length?: number): Reader<readonly T[]> =>
  (value, place) => {
    const fits = Array.isArray(value) && (length === undefined ? value.length > 0 : value.length === length);
    if (!fits)
      return wrong(place, length === undefined ? 'a list that is not empty' : `a list of ${length}`, value);
    return value.map((item, i) => entry(item, inside(place, i)));
  };

/** A list of entries that differ in kind. */
export const tuple =
  <T extends readonly unknown[]>(...entries: { readonly [K in keyof T]: Reader<T[K]> }): Reader<T> =>
  (value, place) => {
    const fits = Array.isArray(value) && value.length === entries.length;
    if (!fits) return wrong(place, `a list of ${entries.length}`, value);
    return entries.map((entry, i) => entry(value[i], inside(place, i))) as unknown as T;
  };

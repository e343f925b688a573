import { readFileSync } from 'node:fs';
import { FileFormatError, shown } from '@g2d/core';
import { parseJson } from '@g2d/core/run-folder';
import { z } from 'zod';

// Schemas whose error message is what a value must be, in words: `readJson` makes a sentence of it.

/** Keys and positions that lead to a value. */
export type Path = readonly PropertyKey[];

/**
 * Reads a JSON file of a format strictly.
 *
 * @throws {FileFormatError} Naming the file, the key, what is expected and what is there; also if it is missing or truncated.
 */
export function readJson<T>(
  file: string,
  format: string | readonly [string, ...string[]],
  schema: z.ZodType<T>,
): T {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (error) {
    throw new FileFormatError(file, `cannot be read (${(error as Error).message}).`);
  }
  const value = parseJson(content, { path: file });
  // First of all: what the other keys mean depends on the version.
  const { error: other } = z
    .looseObject({ format: typeof format === 'string' ? oneOf(format) : oneOf(...format) }, 'an object')
    .safeParse(value);
  const { data, error } = other ? { data: undefined, error: other } : schema.safeParse(value);
  if (!error) return data as T;
  const { issues } = error as z.ZodError;
  const unknown = issues.find((issue) => issue.code === 'unrecognized_keys');
  if (unknown) {
    const where = unknown.path.length === 0 ? 'this file' : `\`${keyOf(unknown.path)}\``;
    throw new FileFormatError(
      file,
      `the key \`${keyOf([...unknown.path, unknown.keys[0] as string])}\` is unknown; the keys of ${where} are ${unknown.message}.`,
    );
  }
  const [issue] = issues as [z.core.$ZodIssue];
  const { options } = issue as { readonly options?: readonly string[] };
  wrong(file, issue.path, options ? eitherOf(options) : issue.message, valueAt(value, issue.path));
}

/** Throws an error that says what was expected at a place and what is there. */
export function wrong(file: string, path: Path, expected: string, value: unknown): never {
  const actual = value === undefined ? 'it is missing' : `it is ${shortened(value)}`;
  const place = path.length === 0 ? 'the file' : `\`${keyOf(path)}\``;
  throw new FileFormatError(file, `${place} must be ${expected}; ${actual}.`);
}

function shortened(value: unknown): string {
  const json = shown(value);
  return json.length <= 60 ? json : `${json.slice(0, 60)}…`;
}

/** `['steps', 0, 'lossCe']` as `steps[0].lossCe`. */
export const keyOf = (path: Path): string =>
  path.reduce<string>(
    (text, key) =>
      typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`,
    '',
  );

/** What lies at a path, `undefined` where nothing does. */
export const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((inner, key) => (inner as Readonly<Record<PropertyKey, unknown>>)?.[key], value);

const eitherOf = (words: readonly string[]): string => words.map(shown).join(' or ');

/** An object with exactly these keys. */
export const object = <S extends z.core.$ZodLooseShape>(shape: S) =>
  z.strictObject(shape, {
    error: ({ code }) => (code === 'unrecognized_keys' ? Object.keys(shape).join(', ') : 'an object'),
  });

/** One of a few words. */
export const oneOf = <const W extends readonly [string, ...string[]]>(...words: W) =>
  z.enum(words, eitherOf(words));

const TEXT = 'a text that is not empty';
export const text = z.string(TEXT).min(1, TEXT);

export const flag = z.boolean('true or false');

/** A finite number, at least `min` or more than `above`. */
export function number({ min, above }: { readonly min?: number; readonly above?: number } = {}) {
  const range = min !== undefined ? ` of at least ${min}` : above !== undefined ? ` above ${above}` : '';
  const words = `a finite number${range}`;
  return z
    .number(words)
    .min(min ?? -Infinity, words)
    .gt(above ?? -Infinity, words);
}

/** A whole number in [min, max]. */
export function integer({ min, max }: { readonly min?: number; readonly max?: number } = {}) {
  const range = max !== undefined ? ` from ${min} to ${max}` : min !== undefined ? ` of at least ${min}` : '';
  const words = `a whole number${range}`;
  return z
    .int(words)
    .min(min ?? -Infinity, words)
    .max(max ?? Infinity, words);
}

/** A list of any length but 0, or of the length that is given. */
export function list<S extends z.ZodType>(entry: S, length?: number) {
  const words = length === undefined ? 'a list that is not empty' : `a list of ${length}`;
  const any = z.array(entry, words);
  return length === undefined ? any.min(1, words) : any.length(length, words);
}

/** A list of entries that differ in kind. */
export const tuple = <const T extends readonly z.ZodType[]>(...entries: T) =>
  z.tuple(entries as never, `a list of ${entries.length}`) as unknown as z.ZodTuple<T>;

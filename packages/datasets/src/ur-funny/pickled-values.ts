import { kindOf, NdArray, shown, type NumberArray } from '@g2d/formats/node';
import type { FileFormatError } from '@g2d/core';

/** Makes the error for a problem of one value in a file. */
export type Fail = (problem: string) => FileFormatError;

/** A dictionary with text or whole numbers as keys, by the key's text: Python 2 wrote ids in either way. */
export function dictionary(value: unknown, fail: Fail): ReadonlyMap<string, unknown> {
  if (!(value instanceof Map)) throw fail(`is ${kindOf(value)}; expected a dictionary.`);
  return new Map(
    [...(value as Map<unknown, unknown>)].map(([key, entry]) => {
      if (typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint')
        return [String(key), entry];
      throw fail(`has ${kindOf(key)} as a key; expected text or whole numbers.`);
    }),
  );
}

/** A list of anything: a Python list, or a numpy array of objects. */
export function list(value: unknown, fail: Fail): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (value instanceof NdArray && value.dtype === 'O') return value.values as readonly unknown[];
  // Lists of numbers, which the reader packs.
  if (value instanceof Float64Array) return [...value];
  if (value instanceof NdArray && value.shape.length === 1)
    return [...(value.values as ArrayLike<unknown> & Iterable<unknown>)];
  throw fail(`is ${kindOf(value)}; expected a list.`);
}

/** One word's features, or `[words, width]` of them, as a list of lists or an array. */
export function wordRows(value: unknown, width: number, fail: Fail): readonly ArrayLike<number>[] {
  if (value instanceof NdArray && value.dtype !== 'O') {
    const [words, columns] = value.shape;
    if (words === 0) return [];
    const numbers = numbersOf(value, fail);
    if (value.shape.length !== 2 || columns !== width) {
      throw fail(`has the shape [${value.shape.join(', ')}]; expected [words, ${width}].`);
    }
    return Array.from({ length: words as number }, (_, i) => numbers.subarray(i * width, (i + 1) * width));
  }
  if (value instanceof Float64Array)
    throw fail('is a list of numbers; expected a list of words, each with its features.');
  return list(value, fail).map((word) => vector(word, width, fail));
}

/** Whole numbers from 0 to below `count`. */
export function indexes(value: unknown, count: number, fail: (problem: string) => Error): readonly number[] {
  const numbers =
    value instanceof NdArray
      ? [...(value.values as Iterable<unknown>)]
      : value instanceof Float64Array
        ? [...value]
        : value;
  if (!Array.isArray(numbers)) throw fail(`are ${kindOf(value)}; expected a list of whole numbers.`);
  for (const index of numbers as unknown[]) {
    if (!(Number.isInteger(index) && (index as number) >= 0 && (index as number) < count)) {
      throw fail(`hold ${shown(index)}; there are ${count} word vectors, 0 to ${count - 1}.`);
    }
  }
  return numbers as number[];
}

/** The numbers of an array. */
export function numbersOf(array: NdArray, fail: Fail): NumberArray {
  if (!ArrayBuffer.isView(array.values)) throw fail('holds something else than numbers.');
  return array.values as NumberArray;
}

function vector(value: unknown, width: number, fail: Fail): ArrayLike<number> {
  const numbers = value instanceof NdArray ? numbersOf(value, fail) : value;
  const isList = Array.isArray(numbers) && numbers.every((entry) => typeof entry === 'number');
  if (!isList && !ArrayBuffer.isView(numbers))
    throw fail(`has ${kindOf(value)} in the place of a word's features.`);
  const { length } = numbers as ArrayLike<number>;
  if (length !== width) throw fail(`has ${length} features for a word; expected ${width}.`);
  return numbers as ArrayLike<number>;
}

import { kindOf, NdArray, readPickle, type NumberArray } from '@g2d/formats/node';
import { FileFormatError } from '@g2d/core';
import type { Split } from '@g2d/core';
import { dictionary, numbersOf } from './pickled-values.js';
import {
  copyFinite,
  firstWord,
  MODALITIES,
  noneZeroed,
  rowsBetween,
  type UrFunnyModality,
  type Widths,
  type WordRules,
  type WordTable,
} from './word-table.js';

const PARTS: Readonly<Record<Split, readonly string[]>> = {
  train: ['train'],
  validation: ['valid', 'dev', 'val'],
  test: ['test'],
};
const KEYS: Readonly<Record<UrFunnyModality, readonly string[]>> = {
  audio: ['audio'],
  visual: ['vision', 'visual'],
  text: ['text'],
};

/**
 * Splits out of a packed pickle: `train`, `valid`, `test` → `vision`, `audio`, `text` of shape `[N, T, width]` and `labels`.
 *
 * The arrays come straight from the file, each into memory of its own; the words that are taken are copied as float32, and
 * the arrays let go.
 *
 * @throws {FileFormatError} If it is no such file.
 */
export function readPacked(
  path: string,
  splits: readonly Split[],
  widths: Widths,
  rules: WordRules,
): ReadonlyMap<Split, WordTable> {
  const parts = dictionary(readPickle(path), (problem) => new FileFormatError(path, problem));
  return new Map(splits.map((split) => [split, tableOf(path, parts, split, widths, rules)]));
}

interface PackedArray {
  readonly values: NumberArray;
  readonly rows: number;
  readonly words: number;
}

function tableOf(
  path: string,
  parts: ReadonlyMap<string, unknown>,
  split: Split,
  widths: Widths,
  rules: WordRules,
): WordTable {
  const name = PARTS[split].find((candidate) => parts.has(candidate));
  if (name === undefined) {
    throw new FileFormatError(
      path,
      `has no split "${PARTS[split][0] as string}"; it holds ${[...parts.keys()].slice(0, 10).join(', ')}.`,
    );
  }
  const fail = (problem: string): FileFormatError =>
    new FileFormatError(path, `"${name}" ${problem}`, { part: name });
  const part = dictionary(parts.get(name), fail);
  const text = packedArray(part, 'text', widths, fail);
  const arrays = {
    audio: packedArray(part, 'audio', widths, fail),
    visual: packedArray(part, 'visual', widths, fail),
    text,
  };
  for (const modality of MODALITIES) {
    const { rows, words } = arrays[modality];
    if (rows === text.rows && words === text.words) continue;
    throw fail(
      `has ${rows} samples of ${words} words in ${KEYS[modality][0] as string}, but ${text.rows} of ${text.words} in text.`,
    );
  }
  const labels = labelsOf(part, text.rows, fail);
  // By the file's row: not every file has ids of its own, and what is left out must not rename the others.
  const idOf = (row: number): string => `${name}/${row}`;

  const dropped: Record<string, string[]> = {};
  const kept: { readonly row: number; readonly first: number }[] = [];
  for (let row = 0; row < text.rows; row++) {
    const words = rowsBetween(text.values, row * text.words, (row + 1) * text.words, widths.text);
    const first = firstWord(words, widths.text, rules.official);
    if (typeof first === 'string') (dropped[first] ??= []).push(idOf(row));
    else kept.push({ row, first: rules.sequence === 'padded' ? 0 : first });
  }
  const starts = [0];
  for (const { first } of kept) starts.push((starts.at(-1) as number) + text.words - first);

  const zeroed = { audio: noneZeroed(), visual: noneZeroed(), text: noneZeroed() };
  const values = (modality: UrFunnyModality): Float32Array => {
    const width = widths[modality];
    const table = new Float32Array((starts.at(-1) as number) * width);
    kept.forEach(({ row, first }, i) => {
      const rows = rowsBetween(
        arrays[modality].values,
        row * text.words + first,
        (row + 1) * text.words,
        width,
      );
      copyFinite(rows, table, (starts[i] as number) * width, zeroed[modality]);
    });
    return table;
  };
  return {
    ids: kept.map(({ row }) => idOf(row)),
    labels: Uint8Array.from(kept, ({ row }) => labels[row] as number),
    starts,
    values: { audio: values('audio'), visual: values('visual'), text: values('text') },
    listed: text.rows,
    dropped,
    zeroed,
  };
}

function packedArray(
  part: ReadonlyMap<string, unknown>,
  modality: UrFunnyModality,
  widths: Widths,
  fail: (problem: string) => FileFormatError,
): PackedArray {
  const key = KEYS[modality].find((candidate) => part.has(candidate));
  if (key === undefined)
    throw fail(
      `lacks "${KEYS[modality][0] as string}"; it holds ${[...part.keys()].slice(0, 10).join(', ')}.`,
    );
  const array = part.get(key);
  if (!(array instanceof NdArray)) throw fail(`has ${kindOf(array)} as "${key}"; expected an array.`);
  const [rows, words, width] = array.shape;
  if (array.shape.length !== 3 || width !== widths[modality] || !words) {
    throw fail(
      `has "${key}" of shape [${array.shape.join(', ')}]; expected [samples, words, ${widths[modality]}]. ` +
        'For other features give their number as `widths`.',
    );
  }
  return { values: numbersOf(array, fail), rows: rows as number, words };
}

/** Below 1 is 0, else 1: some of the files hold 0.999. */
function labelsOf(
  part: ReadonlyMap<string, unknown>,
  rows: number,
  fail: (problem: string) => FileFormatError,
): Uint8Array {
  const stored = part.get('labels');
  if (!(stored instanceof NdArray)) throw fail(`has ${kindOf(stored)} as "labels"; expected an array.`);
  const labels = numbersOf(stored, fail);
  if (labels.length !== rows) throw fail(`has ${labels.length} labels for ${rows} samples.`);
  return Uint8Array.from(labels, (label, row) => {
    if (!Number.isFinite(label)) throw fail(`has the label ${label} in row ${row}; expected 0 or 1.`);
    return label < 1 ? 0 : 1;
  });
}

import { join } from 'node:path';
import { kindOf, readPickle } from '@g2d/formats/node';
import { FileFormatError } from '@g2d/core';
import type { Split } from '@g2d/core';
import { dictionary, indexes, list, wordRows, type Fail } from './pickled-values.js';
import {
  copyFinite,
  firstWord,
  noneZeroed,
  type UrFunnyModality,
  type Widths,
  type WordRules,
  type WordTable,
  type Zeroed,
} from './word-table.js';

/** The files of a raw version, by what is in them. */
interface RawFiles {
  readonly folds: string;
  readonly labels: string;
  /** `language_sdk.pkl`, or `word_embedding_indexes_sdk.pkl` in version 1. */
  readonly language: string;
  readonly embeddings: string;
  readonly audio: string;
  readonly visual: string;
}

export const rawFiles = (root: string, version: 1 | 2): RawFiles => ({
  folds: join(root, 'data_folds.pkl'),
  labels: join(root, 'humor_label_sdk.pkl'),
  language: join(root, version === 2 ? 'language_sdk.pkl' : 'word_embedding_indexes_sdk.pkl'),
  embeddings: join(root, 'word_embedding_list.pkl'),
  audio: join(root, 'covarep_features_sdk.pkl'),
  visual: join(root, 'openface_features_sdk.pkl'),
});

const FOLDS: Readonly<Record<Split, string>> = { train: 'train', validation: 'dev', test: 'test' };

/**
 * Splits out of the raw pickles.
 *
 * Features are in one file for each modality, some with 2 GB: one after the other is read, what is needed is copied as float32,
 * and the rest let go before the next.
 *
 * @throws {FileFormatError} If a file is damaged, or the files do not belong together; it names file and id.
 */
export function readRaw(
  files: RawFiles,
  splits: readonly Split[],
  widths: Widths,
  rules: WordRules,
): ReadonlyMap<Split, WordTable> {
  const words = readWords(files, widths.text, rules);
  const folds = dictionary(readPickle(files.folds), failIn(files.folds));
  const labels = readLabels(files.labels);
  const plans = splits.map((split) =>
    planOf(split, idsOf(files.folds, folds, split), words, labels, files, rules),
  );

  const audio = plans.map(({ rows }) => blankFor(rows.length, widths.audio));
  fillFeatures(files.audio, files.language, plans, audio, words, widths.audio, rules);
  const visual = plans.map(({ rows }) => blankFor(rows.length, widths.visual));
  fillFeatures(files.visual, files.language, plans, visual, words, widths.visual, rules);
  return new Map(
    plans.map((plan, i) => {
      const text = fillText(plan, words, widths.text, rules);
      const filled = { audio: audio[i] as Filled, visual: visual[i] as Filled, text };
      const per = <T>(of: (part: Filled) => T): Record<UrFunnyModality, T> => ({
        audio: of(filled.audio),
        visual: of(filled.visual),
        text: of(filled.text),
      });
      const { split, rows: _, ...table } = plan;
      return [split, { ...table, values: per(({ values }) => values), zeroed: per(({ zeroed }) => zeroed) }];
    }),
  );
}

const failIn =
  (path: string, details: Readonly<Record<string, unknown>> = {}): Fail =>
  (problem) =>
    new FileFormatError(path, problem, details);

/** What the words are, by sample: indexes into the vectors. */
interface Words {
  readonly vectors: readonly ArrayLike<number>[];
  /** @throws {FileFormatError} */
  of(id: string): { readonly punchline: readonly number[]; readonly context: readonly (readonly number[])[] };
}

function readWords(files: RawFiles, width: number, { contextSentences }: WordRules): Words {
  const vectors = wordRows(
    readPickle(files.embeddings, { packNumbers: true }),
    width,
    failIn(files.embeddings),
  );
  if (vectors.length === 0) throw new FileFormatError(files.embeddings, 'has no word vectors.');
  const language = dictionary(readPickle(files.language, { packNumbers: true }), failIn(files.language));
  return {
    vectors,
    of(id) {
      const fail = failIn(files.language, { id });
      if (!language.has(id)) throw fail(`has no sample ${id}, which ${files.folds} lists.`);
      const entry = dictionary(language.get(id), (problem) => fail(`sample ${id} ${problem}`));
      const words = (value: unknown, what: string): readonly number[] =>
        indexes(
          value,
          vectors.length,
          // The list may be the short one of the two.
          (problem) =>
            new FileFormatError(
              files.language,
              `the ${what} of sample ${id} ${problem} (the vectors are in ${files.embeddings}). Take all files from the same version.`,
              { id },
            ),
        );
      const sentences =
        contextSentences > 0
          ? list(entry.get('context_embedding_indexes'), (problem) =>
              fail(`the context of sample ${id} ${problem}`),
            )
          : [];
      return {
        punchline: words(entry.get('punchline_embedding_indexes'), 'punchline words'),
        context: sentences.map((sentence) => words(sentence, 'context words')),
      };
    },
  };
}

function readLabels(path: string): (id: string) => number {
  const labels = dictionary(readPickle(path), failIn(path));
  return (id) => {
    const label = labels.get(id);
    if (label === 0 || label === 1) return label;
    if (label === false || label === true) return Number(label);
    throw new FileFormatError(
      path,
      labels.has(id)
        ? `sample ${id} has the label ${kindOf(label) === 'a number' ? String(label) : kindOf(label)}; expected 0 or 1.`
        : `has no label for sample ${id}.`,
      { id },
    );
  };
}

function idsOf(path: string, folds: ReadonlyMap<string, unknown>, split: Split): readonly string[] {
  const name = FOLDS[split];
  const ids = list(
    folds.get(name),
    (problem) => new FileFormatError(path, `the split "${name}" ${problem}`),
  ).map((id) => {
    if (typeof id === 'string' || Number.isInteger(id)) return String(id);
    throw new FileFormatError(
      path,
      `the split "${name}" lists ${kindOf(id)}; expected ids, whole numbers or text.`,
    );
  });
  const seen = new Set<string>();
  for (const id of ids) {
    if (seen.has(id))
      throw new FileFormatError(path, `the split "${name}" lists sample ${id} twice.`, { id });
    seen.add(id);
  }
  return ids;
}

/** Where a row of the table comes from: a word of a sentence, or padding. */
interface Row {
  readonly sentence: number;
  /** `PAD` where a sentence is shorter, `NOTHING` where there is no sentence. */
  readonly word: number;
}
const PUNCHLINE = -1;
const PAD = -1;
const NOTHING = -2;

interface Plan {
  readonly split: Split;
  readonly ids: readonly string[];
  readonly labels: Uint8Array;
  readonly starts: readonly number[];
  readonly rows: readonly Row[];
  readonly listed: number;
  readonly dropped: Readonly<Record<string, readonly string[]>>;
}

function planOf(
  split: Split,
  listed: readonly string[],
  words: Words,
  labelOf: (id: string) => number,
  files: RawFiles,
  rules: WordRules,
): Plan {
  const dropped: Record<string, string[]> = {};
  const ids: string[] = [];
  const labels: number[] = [];
  const starts = [0];
  const rows: Row[] = [];
  for (const id of listed) {
    const label = labelOf(id);
    const { punchline, context } = words.of(id);
    const count = Math.min(punchline.length, rules.words);
    const width = words.vectors[0]?.length ?? 1;
    const text = punchline
      .slice(0, count)
      .flatMap((index) => Array.from(words.vectors[index] as ArrayLike<number>));
    const first = firstWord(text, width, rules.official);
    if (typeof first === 'string') {
      (dropped[first] ??= []).push(id);
      continue;
    }
    ids.push(id);
    labels.push(label);
    if (rules.sequence === 'words') {
      for (let word = first; word < count; word++) rows.push({ sentence: PUNCHLINE, word });
    } else {
      rows.push(...paddedRows(punchline.length, context, rules));
    }
    starts.push(rows.length);
  }
  if (listed.length === 0)
    throw new FileFormatError(files.folds, `the split "${FOLDS[split]}" lists no samples.`);
  return { split, ids, labels: Uint8Array.from(labels), starts, rows, listed: listed.length, dropped };
}

/** The last sentences of the context, then the punchline, each with padding before its first words. */
function paddedRows(
  punchlineWords: number,
  context: readonly (readonly number[])[],
  { words, contextSentences }: WordRules,
): readonly Row[] {
  const sentenceRows = (sentence: number, length: number): Row[] =>
    Array.from({ length: words }, (_, i) => {
      const word = i - (words - Math.min(length, words));
      return { sentence, word: word < 0 ? PAD : word };
    });
  const missing = Math.max(0, contextSentences - context.length);
  const first = context.length - (contextSentences - missing);
  return [
    ...Array.from({ length: missing * words }, () => ({ sentence: PUNCHLINE, word: NOTHING })),
    ...context.slice(first).flatMap((sentence, i) => sentenceRows(first + i, sentence.length)),
    ...sentenceRows(PUNCHLINE, punchlineWords),
  ];
}

interface Filled {
  readonly values: Float32Array;
  readonly zeroed: Zeroed;
}

const blankFor = (rows: number, width: number): Filled => ({
  values: new Float32Array(rows * width),
  zeroed: noneZeroed(),
});

function fillFeatures(
  path: string,
  languagePath: string,
  plans: readonly Plan[],
  filled: readonly Filled[],
  words: Words,
  width: number,
  { contextSentences }: WordRules,
): void {
  const features = dictionary(readPickle(path, { packNumbers: true }), failIn(path));
  plans.forEach(({ ids, starts, rows }, part) => {
    const { values, zeroed } = filled[part] as Filled;
    ids.forEach((id, i) => {
      const fail = failIn(path, { id });
      if (!features.has(id)) throw fail(`has no sample ${id}.`);
      const entry = dictionary(features.get(id), (problem) => fail(`sample ${id} ${problem}`));
      const wordsOf = (value: unknown, what: string, expected: number): readonly ArrayLike<number>[] => {
        const found = wordRows(value, width, (problem) => fail(`the ${what} of sample ${id} ${problem}`));
        if (found.length === expected) return found;
        throw fail(
          `the ${what} of sample ${id} has ${found.length} words, but ${expected} in ${languagePath}: they must be the same words.`,
        );
      };
      const { punchline, context } = words.of(id);
      const sentences =
        contextSentences > 0
          ? list(entry.get('context_features'), (problem) => fail(`the context of sample ${id} ${problem}`))
          : [];
      if (sentences.length !== context.length) {
        throw fail(
          `the context of sample ${id} has ${sentences.length} sentences, but ${context.length} in ${languagePath}.`,
        );
      }
      const spoken = wordsOf(entry.get('punchline_features'), 'punchline', punchline.length);
      const before = sentences.map((sentence, s) =>
        wordsOf(sentence, 'context', (context[s] as readonly number[]).length),
      );
      for (let row = starts[i] as number; row < (starts[i + 1] as number); row++) {
        const { sentence, word } = rows[row] as Row;
        if (word < 0) continue;
        const from = sentence === PUNCHLINE ? spoken : (before[sentence] as readonly ArrayLike<number>[]);
        copyFinite(from[word] as ArrayLike<number>, values, row * width, zeroed);
      }
    });
  });
}

/** The notebook pads the words' indexes with 0, so that its padding is the first word's vector; ours is zeros otherwise. */
function fillText({ ids, starts, rows }: Plan, words: Words, width: number, { official }: WordRules): Filled {
  const filled = blankFor(rows.length, width);
  ids.forEach((id, i) => {
    const { punchline, context } = words.of(id);
    for (let row = starts[i] as number; row < (starts[i + 1] as number); row++) {
      const { sentence, word } = rows[row] as Row;
      if (word === NOTHING || (word === PAD && !official)) continue;
      const spoken = sentence === PUNCHLINE ? punchline : (context[sentence] as readonly number[]);
      const index = word === PAD ? 0 : (spoken[word] as number);
      copyFinite(words.vectors[index] as ArrayLike<number>, filled.values, row * width, filled.zeroed);
    }
  });
  return filled;
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatasetNotFoundError, FileFormatError, OptionError, perModality } from '@g2d/core';
import { checkOneOf, checkWhole } from './clips/options.js';
import type { MultimodalDataset, Split } from '@g2d/core';
import { assertSampleIndex } from './sample-index.js';
import { featureStatistics, standardize, type FeatureStatistics } from './transforms/normalize.js';
import { readPacked } from './ur-funny/packed.js';
import { rawFiles, readRaw } from './ur-funny/raw.js';
import {
  MODALITIES,
  type UrFunnyModality,
  type Widths,
  type WordRules,
  type WordTable,
  type Zeroed,
} from './ur-funny/word-table.js';

/** Settings of `urFunny`. */
export interface UrFunnyOptions {
  /** The folder with the six raw pickles of version 2 or 1, or with the packed `humor.pkl` or `urfunny_punchline.pkl`. */
  readonly root: string;
  readonly split: Split;
  /**
   * As the code the paper builds on: leaves out samples whose word vectors sum to exactly 0, not only those that are all zero, and
   * with `sequence: 'padded'` pads text with the first word's vector, as the authors' notebook does. Default false.
   */
  readonly faithful?: boolean;
  /** How many words of a sentence are taken, the first ones; of raw files only. Default 20. */
  readonly words?: number;
  /**
   * `'words'` (default): the punchline's words, `[T, D]`, from the first one that has a word vector. `'padded'`: always as many
   * rows, with zeros before the words; packed files as they are.
   */
  readonly sequence?: 'words' | 'padded';
  /** How many sentences before the punchline, `[sentences + 1, words, D]`; of raw files with `sequence: 'padded'`. Default 0. */
  readonly contextSentences?: number;
  /**
   * `'none'` (default). `'sample'`: x − its feature's mean in the sample, divided by one standard deviation of all of the sample.
   * `'train'`: (x − mean) / std of each feature over all words of the training part. Scales differ widely: millimetres, pixels, Hz.
   */
  readonly normalization?: 'none' | 'sample' | 'train';
  /** Numbers of features where they are not audio 81, visual 371 (75 in version 1), text 300. */
  readonly widths?: Partial<Widths>;
}

/** UR-FUNNY, with what was left out and changed when it was opened. */
export interface UrFunnyDataset extends MultimodalDataset<UrFunnyModality> {
  /** Reason → ids that the files list but that are not in `ids`. */
  readonly dropped: Readonly<Record<string, readonly string[]>>;
  /** How many numbers that are not finite became 0, in the words that are taken. */
  readonly zeroed: Readonly<Record<UrFunnyModality, Readonly<Zeroed>>>;
}

export const UR_FUNNY_LICENCE =
  'none stated ("publicly available for research"); made of TED talks, which are CC BY-NC-ND';
export const UR_FUNNY_HOW_TO_GET =
  'UR-FUNNY is linked from the GitHub repository ROC-HCI/UR-FUNNY: take version 2 as issued again in August 2021 (7,614 / 980 / 994 ' +
  'samples), which the paper uses, and give the folder of its six pickles as `root`; or the packed humor.pkl, linked from ' +
  `pliang279/MultiBench. Licence: ${UR_FUNNY_LICENCE}.`;
const WIDTHS: Widths = { audio: 81, visual: 371, text: 300 };
const PACKED = ['humor.pkl', 'urfunny_punchline.pkl'];

/**
 * UR-FUNNY: is the end of a talk's passage a punchline? Sound, face and words, all word by word.
 *
 * `audio` `[T, 81]` (COVAREP), `visual` `[T, 371]` (OpenFace), `text` `[T, 300]` (GloVe), of the punchline's first 20 words, the same
 * words in all three. What is not finite, such as −∞ in COVAREP, becomes 0 (`zeroed`); a sample without any word vector is left
 * out (`dropped`). Classes: 0 no joke, 1 joke. Pickles are read without executing anything.
 *
 * Everything is read at opening, which takes as much memory as the largest file (1 to 3 GB); what is taken is kept as float32, and the
 * rest let go. There is nothing left to decode, so worker threads, each of which would open it again, gain nothing.
 *
 * @throws {DatasetNotFoundError} If files are missing; the message says how to get them.
 * @throws {FileFormatError} If a file is damaged or names anything but data, or the files do not belong together.
 * @throws {OptionError} If an option has a value that is not accepted.
 * @example
 * const train = await urFunny({ root: 'data/ur-funny', split: 'train', normalization: 'train' });
 * train.shapes.audio; // [null, 81]
 * @see G2D, Sec. 4.1; Hasan et al., UR-FUNNY (2019); its packed form: Liang et al., MultiBench (2021); Li et al., AGM (2023)
 */
export async function urFunny(options: UrFunnyOptions): Promise<UrFunnyDataset> {
  const { split, normalization = 'none' } = options;
  checkOptions(options);
  const wanted: Split[] = normalization === 'train' && split !== 'train' ? ['train', split] : [split];
  const { tables, widths, path } = readUrFunny(options, wanted);
  let table = tables.get(split);
  const { ids, dropped, zeroed, labels } = table as WordTable;
  if (ids.length === 0)
    throw new FileFormatError(path, `has no sample with words in the ${split} part.`, { split });
  const normalize = normalizer(normalization, tables.get('train'), widths);
  const size = ids.length;
  return {
    name: 'ur-funny',
    split,
    task: 'classification',
    modalities: MODALITIES,
    shapes: shapesOf(options, table as WordTable, widths),
    classNames: ['no joke', 'joke'],
    ids,
    size,
    dropped,
    zeroed,
    source: { module: '@g2d/datasets', name: 'urFunny', options },
    async sample(index, { modalities = MODALITIES } = {}) {
      assertSampleIndex(index, { split, size });
      if (table === undefined) throw new FileFormatError(path, 'the dataset has been closed.');
      const { starts, values } = table;
      const [start, end] = [starts[index] as number, starts[index + 1] as number];
      return {
        id: ids[index] as string,
        label: labels[index] as number,
        inputs: perModality<UrFunnyModality, Float32Array>(modalities, (modality) =>
          normalize(values[modality].slice(start * widths[modality], end * widths[modality]), modality),
        ),
      };
    },
    close() {
      table = undefined;
    },
  };
}

/** The parts, from whichever files are there. */
export function readUrFunny(
  { root, faithful = false, words = 20, sequence = 'words', contextSentences = 0, widths }: UrFunnyOptions,
  splits: readonly Split[],
): { readonly tables: ReadonlyMap<Split, WordTable>; readonly widths: Widths; readonly path: string } {
  const rules: WordRules = { faithful, words, sequence, contextSentences };
  const { packed, version } = findUrFunny(root);
  const all = { ...WIDTHS, ...(version === 1 && { visual: 75 }), ...widths };
  if (packed === undefined) {
    const files = rawFiles(root, version);
    const missing = Object.values(files).filter((file) => !existsSync(file));
    if (missing.length > 0) throw notFound(root, missing);
    return { tables: readRaw(files, splits, all, rules), widths: all, path: root };
  }
  if (contextSentences > 0) {
    throw new OptionError(
      `\`contextSentences\` is ${contextSentences}, but ${packed} holds punchlines only.`,
      {
        option: 'contextSentences',
        value: contextSentences,
        accepted: '0 for a packed file',
      },
    );
  }
  return { tables: readPacked(packed, splits, all, rules), widths: all, path: packed };
}

/** Which form of the data lies in a folder: raw files first. */
export function findUrFunny(root: string): { readonly packed?: string; readonly version: 1 | 2 } {
  const folds = rawFiles(root, 2).folds;
  const packed = PACKED.map((name) => join(root, name)).find((path) => existsSync(path));
  if (packed !== undefined && !existsSync(folds)) return { packed, version: 2 };
  const isFirst = existsSync(rawFiles(root, 1).language) && !existsSync(rawFiles(root, 2).language);
  return { version: isFirst ? 1 : 2 };
}

function checkOptions({
  split,
  words = 20,
  sequence,
  contextSentences = 0,
  normalization,
  widths = {},
}: UrFunnyOptions): void {
  checkOneOf('split', split, ['train', 'validation', 'test']);
  checkOneOf('sequence', sequence ?? 'words', ['words', 'padded']);
  checkOneOf('normalization', normalization ?? 'none', ['none', 'sample', 'train']);
  checkWhole('words', words, 1, 1000);
  checkWhole('contextSentences', contextSentences, 0, 100);
  for (const [modality, width] of Object.entries(widths)) checkWhole(`widths.${modality}`, width, 1, 100_000);
  const padded = sequence === 'padded';
  if (contextSentences > 0 && !padded) {
    throw new OptionError(
      "`contextSentences` needs `sequence: 'padded'`: sentences of different lengths cannot stand under each other.",
      { option: 'contextSentences', value: contextSentences, accepted: "0, or with `sequence: 'padded'`" },
    );
  }
  if (padded && (normalization ?? 'none') !== 'none') {
    throw new OptionError(
      `\`normalization\` "${normalization as string}" would turn the zeros of \`sequence: 'padded'\` into something else. ` +
        "Take `sequence: 'words'`; `batches` pads it.",
      { option: 'normalization', value: normalization, accepted: "none with `sequence: 'padded'`" },
    );
  }
}

function notFound(root: string, missing: readonly string[]): DatasetNotFoundError {
  return new DatasetNotFoundError({ dataset: 'UR-FUNNY', root, missing, howToGet: UR_FUNNY_HOW_TO_GET });
}

function shapesOf(
  { sequence, contextSentences = 0, words = 20 }: UrFunnyOptions,
  { starts }: WordTable,
  widths: Widths,
): Record<UrFunnyModality, readonly (number | null)[]> {
  // In a packed file the number of words is the file's.
  const rows = starts[1] as number;
  return perModality(MODALITIES, (modality) => {
    const width = widths[modality];
    if (sequence !== 'padded') return [null, width];
    return contextSentences > 0 ? [contextSentences + 1, words, width] : [rows, width];
  });
}

type Normalize = (rows: Float32Array, modality: UrFunnyModality) => Float32Array;

function normalizer(
  normalization: NonNullable<UrFunnyOptions['normalization']>,
  training: WordTable | undefined,
  widths: Widths,
): Normalize {
  if (normalization === 'none') return (rows) => rows;
  if (normalization === 'sample') {
    return (rows, modality) =>
      standardize(
        rows,
        featureStatistics(rows, widths[modality], { deviation: 'unbiased', spread: 'whole' }),
      );
  }
  const { values, ids } = training as WordTable;
  if (ids.length === 0) {
    throw new OptionError("`normalization: 'train'` needs training samples, but none has words.", {
      option: 'normalization',
      value: normalization,
      accepted: 'none, sample',
    });
  }
  const statistics: Readonly<Record<UrFunnyModality, FeatureStatistics>> = perModality(
    MODALITIES,
    (modality) => featureStatistics(values[modality], widths[modality]),
  );
  return (rows, modality) => standardize(rows, statistics[modality]);
}

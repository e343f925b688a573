import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatasetNotFoundError, FileFormatError, OptionError, perModality } from '@g2d/core';
import type { MultimodalDataset, Split } from '@g2d/core';
import { assertSampleIndex } from '../sample-index.js';
import { featureStatistics, standardize, type FeatureStatistics } from '../transforms/normalize.js';
import type { urFunnyOptions, UrFunnyOptions } from './options.js';
import { readPacked } from './packed.js';
import { rawFiles, readRaw } from './raw.js';
import {
  MODALITIES,
  type UrFunnyModality,
  type Widths,
  type WordRules,
  type WordTable,
  type Zeroed,
} from './word-table.js';
import type { z } from 'zod';

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

type Options = z.output<typeof urFunnyOptions> & { readonly split: Split };

export async function openUrFunny(options: Options): Promise<UrFunnyDataset> {
  const { split, normalization } = options;
  checkTogether(options);
  const wanted: Split[] = normalization === 'train' && split !== 'train' ? ['train', split] : [split];
  const { tables, widths, path, files } = readUrFunny(options, wanted);
  let table = tables.get(split);
  const { ids, dropped, zeroed, labels } = table as WordTable;
  if (ids.length === 0)
    throw new FileFormatError(path, `has no sample with words in the ${split} split.`, { split });
  const { normalize, statistics } = normalizer(normalization, tables.get('train'), widths);
  const size = ids.length;
  return {
    name: 'ur-funny',
    split,
    task: 'classification',
    modalities: MODALITIES,
    shapes: shapesOf(options, table as WordTable, widths),
    classNames: ['no joke', 'joke'],
    ids,
    labels,
    size,
    dropped,
    zeroed,
    preprocessing: perModality(MODALITIES, (modality) => ({
      from: `the published features of the words${normalization === 'sample' ? ', of each sample (x − its means by feature) / its one deviation over all features' : ''}`,
      ...(statistics && {
        mean: [...statistics[modality].mean],
        std: [...statistics[modality].std],
      }),
    })),
    source: { module: '@g2d/datasets', name: 'ur-funny', options },
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
    // A sample's words are chosen by all modalities.
    files: () => files,
    close() {
      table = undefined;
    },
  };
}

/** The splits, from whichever files are there. */
export function readUrFunny(
  { root, official = false, words = 20, sequence = 'words', contextSentences = 0, widths }: UrFunnyOptions,
  splits: readonly Split[],
): {
  readonly tables: ReadonlyMap<Split, WordTable>;
  readonly widths: Widths;
  readonly path: string;
  readonly files: readonly string[];
} {
  const rules: WordRules = { official, words, sequence, contextSentences };
  const { packed, version } = findUrFunny(root);
  const published = { ...WIDTHS, ...(version === 1 && { visual: 75 }) };
  const all = perModality(MODALITIES, (modality) => widths?.[modality] ?? published[modality]);
  if (packed === undefined) {
    const files = rawFiles(root, version);
    const missing = Object.values(files).filter((file) => !existsSync(file));
    if (missing.length > 0) throw notFound(root, missing);
    return {
      tables: readRaw(files, splits, all, rules),
      widths: all,
      path: root,
      files: Object.values(files) as readonly string[],
    };
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
  return {
    tables: readPacked(packed, splits, all, rules),
    widths: all,
    path: packed,
    files: [packed],
  };
}

/** Which form of the data lies in a folder: raw files first. */
export function findUrFunny(root: string): { readonly packed?: string; readonly version: 1 | 2 } {
  const folds = rawFiles(root, 2).folds;
  const packed = PACKED.map((name) => join(root, name)).find((path) => existsSync(path));
  if (packed !== undefined && !existsSync(folds)) return { packed, version: 2 };
  const isFirst = existsSync(rawFiles(root, 1).language) && !existsSync(rawFiles(root, 2).language);
  return { version: isFirst ? 1 : 2 };
}

function checkTogether({ sequence, contextSentences, normalization }: Options): void {
  const padded = sequence === 'padded';
  if (contextSentences > 0 && !padded) {
    throw new OptionError(
      "`contextSentences` needs `sequence: 'padded'`: sentences of different lengths cannot stand under each other.",
      { option: 'contextSentences', value: contextSentences, accepted: "0, or with `sequence: 'padded'`" },
    );
  }
  if (padded && normalization !== 'none') {
    throw new OptionError(
      `\`normalization\` "${normalization}" would turn the zeros of \`sequence: 'padded'\` into something else. ` +
        "Take `sequence: 'words'`; `batches` pads it.",
      { option: 'normalization', value: normalization, accepted: "none with `sequence: 'padded'`" },
    );
  }
}

function notFound(root: string, missing: readonly string[]): DatasetNotFoundError {
  return new DatasetNotFoundError({ dataset: 'UR-FUNNY', root, missing, howToGet: UR_FUNNY_HOW_TO_GET });
}

function shapesOf(
  { sequence, contextSentences, words }: Options,
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

interface Normalizer {
  readonly normalize: (rows: Float32Array, modality: UrFunnyModality) => Float32Array;
  /** Where they are the same for all samples. */
  readonly statistics?: Readonly<Record<UrFunnyModality, FeatureStatistics>>;
}

function normalizer(
  normalization: Options['normalization'],
  training: WordTable | undefined,
  widths: Widths,
): Normalizer {
  if (normalization === 'none') return { normalize: (rows) => rows };
  if (normalization === 'sample') {
    return {
      normalize: (rows, modality) =>
        standardize(
          rows,
          featureStatistics(rows, widths[modality], { deviation: 'unbiased', spread: 'whole' }),
        ),
    };
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
  return { normalize: (rows, modality) => standardize(rows, statistics[modality]), statistics };
}

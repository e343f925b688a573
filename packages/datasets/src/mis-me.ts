import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { readImage } from '@g2d/formats/node';
import { DatasetNotFoundError, FileFormatError, OptionError } from '@g2d/core';
import type { MultimodalDataset, Split } from '@g2d/core';
import { FEATURES, readMisMeTable, type MisMeRow } from './mis-me-table.js';
import { assertSampleIndex } from './sample-index.js';
import { featureStatistics, normalizePixels, standardize } from './transforms/normalize.js';
import { resize } from './transforms/resize.js';

/** Settings of `misMe`. */
export interface MisMeOptions {
  /** The folder that holds `imageFolder` and `tableFolder`. */
  readonly root: string;
  readonly split: Split;
  /** The test part of one station alone. Only with `split: 'test'`. Default: the combined test part. */
  readonly station?: 'OK001' | 'OK002' | 'OK003';
  /** The tables' format. Default: `.xlsx` as published, or `.csv` where that is not there. */
  readonly format?: 'xlsx' | 'csv';
  /** Default `all_three_stations/images`. */
  readonly imageFolder?: string;
  /** Default `labels/classification`. */
  readonly tableFolder?: string;
}

/** MIS-ME, with what is odd in its table. */
export interface MisMeDataset extends MultimodalDataset<'image' | 'table'> {
  /** Targets that are possible but hardly meant; each is a warning of the process too. */
  readonly warnings: readonly string[];
}

export const MIS_ME_LICENCE = 'none stated for the data (the authors’ code is MIT)';
export const MIS_ME_HOW_TO_GET =
  'MIS-ME is under Releases of the GitHub repository OSU-Complex-Systems/MIS-ME: take v2, which has the weather; v1 has pictures and ' +
  `targets only. Licence: ${MIS_ME_LICENCE}.`;
const MODALITIES = ['image', 'table'] as const;
const SIDE = 224;
const PIXELS = { mean: [0.507, 0.468, 0.307], std: [0.194, 0.201, 0.17] } as const;

/**
 * MIS-ME: soil moisture from a photograph of the ground and the weather; a regression.
 *
 * `image` `[224, 224, 3]`: resized without a crop, / 255, − mean, / std by channel. `table` `[8]`: a gap becomes the training
 * mean, then (x − mean) / std with the training rows' mean and population standard deviation. The label is the volumetric water
 * content as it stands, a fraction. Nothing is drawn at random. The published parts are read; they are random over patches of
 * photographs, so that patches of one photograph are in several parts.
 *
 * @throws {DatasetNotFoundError} If a table or a picture is missing; the message says how to get the data.
 * @throws {FileFormatError} If a table cannot be used (it names row and column); reading a sample throws it for a damaged picture.
 * @throws {OptionError} If an option has a value that is not accepted.
 * @example
 * const test = await misMe({ root: 'data/mis-me', split: 'test' });
 * test.task; // 'regression'
 * @see G2D, Sec. 4.1; Rakib et al., MIS-ME (2024)
 */
export async function misMe(options: MisMeOptions): Promise<MisMeDataset> {
  const { root, split } = options;
  checkOptions(options);
  const imageFolder = join(root, options.imageFolder ?? 'all_three_stations/images');
  const part = { train: 'train', validation: 'val', test: 'test' }[split];
  const path = misMeTablePath(
    options,
    options.station ? `${options.station}_only_test` : `combined_only_${part}`,
  );
  const trainPath = misMeTablePath(options, 'combined_only_train');
  const missing = [...new Set([trainPath, path, imageFolder])].filter((needed) => !existsSync(needed));
  if (missing.length > 0) throw notFound(root, missing);

  const training = await readMisMeTable(trainPath);
  const rows = path === trainPath ? training : await readMisMeTable(path);
  const statistics = trainingStatistics(training, trainPath);
  const there = new Set(readdirSync(imageFolder));
  const absent = rows.map(({ image }) => image).filter((image) => !there.has(image));
  if (absent.length > 0)
    throw notFound(
      root,
      absent.map((image) => join(imageFolder, image)),
    );

  const warnings = oddTargets(rows, path);
  // Once, not once more for every worker.
  if (isMainThread)
    for (const warning of warnings) process.emitWarning(warning, { code: 'G2D_MIS_ME_TARGET' });
  const ids = distinct(rows.map(({ image }) => image));
  const size = rows.length;
  return {
    name: 'mis-me',
    split,
    task: 'regression',
    modalities: MODALITIES,
    shapes: { image: [SIDE, SIDE, 3], table: [FEATURES.length] },
    classNames: [],
    ids,
    size,
    warnings,
    source: { module: '@g2d/datasets', name: 'misMe', options },
    async sample(index, { modalities = MODALITIES } = {}) {
      assertSampleIndex(index, { split, size });
      const { image, vwc, features } = rows[index] as MisMeRow;
      const inputs: Partial<Record<'image' | 'table', Float32Array>> = {};
      if (modalities.includes('image')) {
        const picture = await readImage(join(imageFolder, image));
        inputs.image = normalizePixels(resize(picture, { height: SIDE, width: SIDE }), PIXELS);
      }
      if (modalities.includes('table')) inputs.table = standardize(features, statistics);
      return {
        id: ids[index] as string,
        label: vwc,
        inputs: inputs as Record<'image' | 'table', Float32Array>,
      };
    },
    close() {},
  };
}

/** `<tableFolder>/<name>_set.xlsx` or `.csv`; the former if neither is there. */
export function misMeTablePath(
  { root, tableFolder, format }: Omit<MisMeOptions, 'split'>,
  name: string,
): string {
  const [xlsx, csv] = ['xlsx', 'csv'].map((ending) =>
    join(root, tableFolder ?? 'labels/classification', `${name}_set.${ending}`),
  ) as [string, string];
  return format === 'csv' || (format === undefined && !existsSync(xlsx) && existsSync(csv)) ? csv : xlsx;
}

function checkOptions({ split, station, format }: MisMeOptions): void {
  const check = (option: string, value: unknown, accepted: readonly unknown[]): void => {
    if (accepted.includes(value)) return;
    const names = accepted.filter((name) => name !== undefined).join(', ');
    throw new OptionError(`\`${option}\` is ${JSON.stringify(value)}; it can be ${names}.`, {
      option,
      value,
      accepted: names,
    });
  };
  check('split', split, ['train', 'validation', 'test']);
  check('station', station, ['OK001', 'OK002', 'OK003', undefined]);
  check('format', format, ['xlsx', 'csv', undefined]);
  if (station !== undefined && split !== 'test') {
    throw new OptionError(
      `\`station\` goes with the test part only, not with "${split}": the stations have no tables of their own for it.`,
      { option: 'station', value: station, accepted: "only with `split: 'test'`" },
    );
  }
}

const SHOWN = 10;

function notFound(root: string, missing: readonly string[]): DatasetNotFoundError {
  const more = missing.length - SHOWN;
  return new DatasetNotFoundError({
    dataset: 'MIS-ME',
    root,
    missing: more > 0 ? [...missing.slice(0, SHOWN), `and ${more} more`] : missing,
    howToGet: MIS_ME_HOW_TO_GET,
  });
}

function trainingStatistics(rows: readonly MisMeRow[], path: string): ReturnType<typeof featureStatistics> {
  FEATURES.forEach((feature, column) => {
    if (rows.some(({ features }) => !Number.isNaN(features[column]))) return;
    throw new FileFormatError(
      path,
      `the column ${feature} holds no number at all, so that there is no mean to fill its gaps with.`,
      { column: feature },
    );
  });
  return featureStatistics(
    rows.flatMap(({ features }) => features),
    FEATURES.length,
  );
}

function oddTargets(rows: readonly MisMeRow[], path: string): readonly string[] {
  const odd = (what: string, test: (vwc: number) => boolean): string[] => {
    const found = rows.filter(({ vwc }) => test(vwc));
    if (found.length === 0) return [];
    const first = found.slice(0, SHOWN).map(({ row }) => row);
    return [
      `${path}: vwc ${what} in ${found.length} rows (row ${first.join(', ')}${found.length > SHOWN ? ', …' : ''}).`,
    ];
  };
  return [
    ...odd('is 0, by which the error in percent (MAPE) cannot be divided,', (vwc) => vwc === 0),
    ...odd(
      'is below 0 or above 1, but a fraction is expected: divide percent by 100,',
      (vwc) => vwc < 0 || vwc > 1,
    ),
  ];
}

/** A picture that is listed again gets a number. */
function distinct(names: readonly string[]): readonly string[] {
  const count = new Map<string, number>();
  return names.map((name) => {
    const times = (count.get(name) ?? 0) + 1;
    count.set(name, times);
    return times === 1 ? name : `${name}#${times}`;
  });
}

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { readImage } from '@g2d/formats/node';
import { DatasetNotFoundError, FileFormatError, OptionError } from '@g2d/core';
import type { MultimodalDataset, Split } from '@g2d/core';
import type { misMeOptions } from './options.js';
import { FEATURES, readMisMeTable, type MisMeRow } from './table.js';
import type { z } from 'zod';
import { assertSampleIndex } from '../sample-index.js';
import { featureStatistics, normalizePixels, standardize } from '../transforms/normalize.js';
import { resize } from '../transforms/resize.js';

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
/** Mean and standard deviation of the colours, by channel. */
export const PIXELS = { mean: [0.507, 0.468, 0.307], std: [0.194, 0.201, 0.17] } as const;

type Options = z.output<typeof misMeOptions> & { readonly split: Split };

export async function openMisMe(options: Options): Promise<MisMeDataset> {
  const { root, split } = options;
  checkStation(options);
  const imageFolder = join(root, options.imageFolder);
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
    labels: rows.map(({ vwc }) => vwc),
    size,
    warnings,
    preprocessing: {
      image: {
        from: 'an RGB picture with 8 bits a channel, resized bilinearly with antialiasing (as PIL does), its sides not kept in proportion',
        size: [SIDE, SIDE],
        divideBy: 255,
        ...PIXELS,
      },
      table: {
        from: `${FEATURES.join(', ')}; a gap is the mean`,
        mean: [...statistics.mean],
        std: [...statistics.std],
      },
    },
    source: { module: '@g2d/datasets', name: 'mis-me', options },
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
    files: (index, modality) =>
      modality === 'image' ? [join(imageFolder, (rows[index] as MisMeRow).image)] : [path, trainPath],
    close() {},
  };
}

/** `<tableFolder>/<name>_set.xlsx` or `.csv`; the former if neither is there. */
export function misMeTablePath(
  { root, tableFolder, format }: z.output<typeof misMeOptions>,
  name: string,
): string {
  const [xlsx, csv] = ['xlsx', 'csv'].map((ending) => join(root, tableFolder, `${name}_set.${ending}`)) as [
    string,
    string,
  ];
  return format === 'csv' || (format === undefined && !existsSync(xlsx) && existsSync(csv)) ? csv : xlsx;
}

function checkStation({ split, station }: Options): void {
  if (station !== undefined && split !== 'test') {
    throw new OptionError(
      `\`station\` goes with the test split only, not with "${split}": the stations have no tables of their own for it.`,
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

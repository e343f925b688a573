import { DatasetNotFoundError, perModality } from '@g2d/core';
import type { MultimodalDataset, Preprocessing, Split } from '@g2d/core';
import { deriveSeed } from '@g2d/tensor-ops';
import type { z } from 'zod';
import { assertSampleIndex } from '../sample-index.js';
import { splitByFraction } from '../splits.js';
import { featureStatistics, standardize } from '../transforms/normalize.js';
import { chosenViews, type multipleFeaturesOptions } from './options.js';
import {
  CLASSES,
  FACTS,
  missingFiles,
  PICTURE,
  readView,
  ROWS,
  ROWS_OF_A_CLASS,
  viewFile,
  type View,
} from './views.js';

export const LICENCE =
  'CC BY 4.0 (R.P.W. Duin and others, Multiple Features, UCI Machine Learning Repository)';
export const HOW_TO_GET =
  'The six files lie in `data/multiple-features/` of the g2d repository, with their licence and checksums; give that folder.';

type Options = z.output<typeof multipleFeaturesOptions> & { readonly split: Split };

/** 120, 30 and 50 of the 200 of a class. */
const FRACTIONS = { train: 0.6, validation: 0.15, test: 0.25 } as const;
/** What the least and the greatest of a target's column become: a sigmoid reaches neither 0 nor 1. */
const TARGET_RANGE = { low: 0.1, high: 0.9 } as const;

export function openMultipleFeatures(options: Options): MultimodalDataset<View> {
  const { root, split, target, pix, seed } = options;
  const modalities = chosenViews(options);
  const needed = target === 'class' ? modalities : [...modalities, target.view];
  const missing = missingFiles(root, needed);
  if (missing.length > 0)
    throw new DatasetNotFoundError({ dataset: 'Multiple Features', root, missing, howToGet: HOW_TO_GET });

  const rows = rowsOf(split, seed);
  const training = split === 'train' ? rows : rowsOf('train', seed);
  const isPicture = (view: View): boolean => view === 'pix' && pix === 'picture';
  const preprocessing: Partial<Record<View, Preprocessing>> = {};
  const inputs = perModality(modalities, (view) => {
    const { columns } = FACTS[view];
    const values = readView(root, view);
    // A picture has one mean and deviation: pixels that are nearly always empty would be blown up.
    const width = isPicture(view) ? 1 : columns;
    const statistics = featureStatistics(taken(values, training, columns), width);
    preprocessing[view] = {
      from: `${columns} numbers of mfeat-${view}.csv${isPicture(view) ? ', rows of a picture' : ''}; mean and population standard deviation of the training split`,
      mean: [...statistics.mean],
      std: [...statistics.std],
    };
    return standardize(taken(values, rows, columns), statistics);
  });
  const labels = target === 'class' ? rows.map(classOf) : targets(root, target, rows);
  const ids = rows.map(idOf);
  const size = rows.length;
  return {
    name: 'multiple-features',
    split,
    task: target === 'class' ? 'classification' : 'regression',
    modalities,
    shapes: perModality(modalities, (view) =>
      isPicture(view) ? [PICTURE.height, PICTURE.width, 1] : [FACTS[view].columns],
    ),
    classNames: target === 'class' ? Array.from({ length: CLASSES }, (_, digit) => String(digit)) : [],
    ids,
    labels,
    size,
    preprocessing,
    source: { module: '@g2d/datasets', name: 'multiple-features', options },
    async sample(index, { modalities: wanted = modalities } = {}) {
      assertSampleIndex(index, { split, size });
      return {
        id: ids[index] as string,
        label: labels[index] as number,
        inputs: perModality(wanted, (view) => {
          const { columns } = FACTS[view];
          return inputs[view].slice(index * columns, (index + 1) * columns);
        }),
      };
    },
    files: (_, view) => [viewFile(root, view)],
    close() {},
  };
}

const classOf = (row: number): number => Math.floor(row / ROWS_OF_A_CLASS);

/** The numeral and its place among those of its class: `3-017`. */
const idOf = (row: number): string => `${classOf(row)}-${String(row % ROWS_OF_A_CLASS).padStart(3, '0')}`;

/** The rows of a split, in the order of the files. */
function rowsOf(split: Split, seed: number): readonly number[] {
  return Array.from({ length: CLASSES }, (_, digit) => {
    const rows = Array.from({ length: ROWS_OF_A_CLASS }, (_, i) => digit * ROWS_OF_A_CLASS + i);
    const rowOf = new Map(rows.map((row) => [idOf(row), row]));
    const drawn = splitByFraction([...rowOf.keys()], {
      fractions: FRACTIONS,
      seed: deriveSeed(seed, `class/${digit}`),
    });
    return drawn[split].map((id) => rowOf.get(id) as number);
  }).flat();
}

/** Some rows of a table, flat. */
function taken(values: Float64Array, rows: readonly number[], columns: number): Float64Array {
  const some = new Float64Array(rows.length * columns);
  rows.forEach((row, i) => some.set(values.subarray(row * columns, (row + 1) * columns), i * columns));
  return some;
}

/** Of all rows, not of the training split alone: a label does not depend on the split, and none is out of a sigmoid's reach. */
function targets(
  root: string,
  { view, column }: Exclude<Options['target'], 'class'>,
  rows: readonly number[],
): readonly number[] {
  const values = readView(root, view);
  const all = Array.from({ length: ROWS }, (_, row) => values[row * FACTS[view].columns + column] as number);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  return rows.map((row) => {
    const share = ((all[row] as number) - low) / (high - low || 1);
    return TARGET_RANGE.low + (TARGET_RANGE.high - TARGET_RANGE.low) * share;
  });
}

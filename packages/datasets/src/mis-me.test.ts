import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { openNpy } from '@g2d/formats/node';
import { loadTensorFlow } from '@g2d/native';
import { G2DError } from '@g2d/core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { channelsFirst, goldenFile, worstDifference, type GoldenArray } from '../test/golden-array.js';
import { expectKnownBeforeReading } from '../test/known-before-reading.js';
import { batches } from './batches.js';
import type { Split } from '@g2d/core';
import { checkMisMe } from './mis-me/check.js';
import { readMisMeTable } from './mis-me/table.js';
import { misMe } from './mis-me.js';

// Made with the authors' Python loader; the NOTICE.txt of both folders says what the data are.
const fixtures = fileURLToPath(new URL('../../../test/fixtures/datasets/misme', import.meta.url));
const tables = fileURLToPath(new URL('../../../test/fixtures/io/misme', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'g2d-misme-'));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => loadTensorFlow({ backend: 'cpu', quiet: true }));

const IMAGES = 'all_three_stations/images';
const TABLES = 'labels/classification';
let copies = 0;
/** The tree as it is on disk, to be damaged. */
function copy(): string {
  const root = join(folder, `copy-${copies++}`);
  cpSync(join(fixtures, 'images'), join(root, IMAGES), { recursive: true });
  cpSync(join(tables, 'classification'), join(root, TABLES), { recursive: true });
  return root;
}
const good = copy();

const golden = JSON.parse(readFileSync(join(fixtures, 'expected.json'), 'utf8')) as {
  readonly columns: readonly string[];
  readonly image_mean: readonly number[];
  readonly image_std: readonly number[];
  readonly stations: Readonly<Record<'OK001' | 'OK002' | 'OK003', readonly string[]>>;
  readonly splits: Readonly<
    Record<
      'train' | 'val' | 'test',
      {
        readonly count: number;
        readonly table: GoldenArray;
        readonly samples: readonly {
          readonly image_name: string;
          readonly target: number;
          readonly table: readonly number[];
          readonly image: GoldenArray;
          /** The resized picture, `[H, W, 3]`. */
          readonly image_u8?: GoldenArray;
        }[];
      }
    >
  >;
};
const SPLITS = [
  ['train', 'train'],
  ['validation', 'val'],
  ['test', 'test'],
] as const;
/** For every `[split, file ending]`. */
const EACH = SPLITS.flatMap(([split, part]) =>
  (['xlsx', 'csv'] as const).map((format) => [split, part, format] as const),
);

const far = (actual: ArrayLike<number>, expected: ArrayLike<number>): number => {
  expect(actual.length).toBe(expected.length);
  return Array.from(actual).reduce(
    (worst, value, i) => Math.max(worst, Math.abs(value - (expected[i] as number))),
    0,
  );
};

describe('misMe', () => {
  it.each(EACH)('gives what the authors’ loader gives, %s (%s), from %s', async (split, part, format) => {
    const expected = golden.splits[part];
    const dataset = await misMe({ root: good, split, format });
    expect(dataset).toMatchObject({
      size: expected.count,
      task: 'regression',
      classNames: [],
      modalities: ['image', 'table'],
      shapes: { image: [224, 224, 3], table: [8] },
      warnings: [],
    });
    expect(dataset.ids).toEqual(expected.samples.map(({ image_name }) => image_name));
    await expectKnownBeforeReading(dataset);
    const rows: number[] = [];
    for (const [index, { image_name, target, table, image, image_u8 }] of expected.samples.entries()) {
      const { id, label, inputs } = await dataset.sample(index);
      expect(id).toBe(image_name);
      expect(Math.abs((label as number) - target)).toBeLessThanOrEqual(1e-7);
      expect(far(inputs.table, table)).toBeLessThanOrEqual(2e-6);
      rows.push(...inputs.table);
      // Pictures are equal to the last bit; the tolerance is that of their mean, spread and length.
      expect(worstDifference(channelsFirst(inputs.image), image, fixtures)).toBeLessThan(1e-5);
      const levels = inputs.image.map((value, i) =>
        Math.round(
          255 * (value * (golden.image_std[i % 3] as number) + (golden.image_mean[i % 3] as number)),
        ),
      );
      // Given for one of them.
      const resized = image_u8 === undefined ? levels : goldenFile(fixtures, image_u8.file as string);
      expect(far(levels, resized)).toBe(0);
    }
    const file = openNpy(join(fixtures, expected.table.file as string));
    expect(far(rows, file.all())).toBeLessThanOrEqual(2e-6);
    file.close();
  });

  it.each(['OK001', 'OK002', 'OK003'] as const)('reads the test split of %s alone', async (station) => {
    const dataset = await misMe({ root: good, split: 'test', station });
    expect(dataset.ids).toEqual(golden.stations[station]);
    // Standardised by all training rows, as in the combined part.
    const combined = await misMe({ root: good, split: 'test' });
    const { label, inputs } = await dataset.sample(0, { modalities: ['table'] });
    const same = await combined.sample(combined.ids.indexOf(dataset.ids[0] as string), {
      modalities: ['table'],
    });
    expect({ label, inputs }).toEqual({ label: same.label, inputs: same.inputs });
  });

  it('takes CSV where there is no workbook, and folders of other names', async () => {
    const root = copy();
    for (const name of readdirSync(join(root, TABLES))) {
      if (name.endsWith('.xlsx')) rmSync(join(root, TABLES, name));
    }
    expect((await misMe({ root, split: 'train' })).ids).toEqual(
      (await misMe({ root: good, split: 'train' })).ids,
    );
    cpSync(join(root, TABLES), join(root, 'tables'), { recursive: true });
    cpSync(join(root, IMAGES), join(root, 'pictures'), { recursive: true });
    rmSync(join(root, TABLES), { recursive: true });
    rmSync(join(root, IMAGES), { recursive: true });
    const dataset = await misMe({ root, split: 'test', imageFolder: 'pictures', tableFolder: 'tables' });
    expect((await dataset.sample(4)).inputs.image).toHaveLength(224 * 224 * 3);
  });

  it('touches only what is asked for, and gives fresh arrays', async () => {
    const root = copy();
    const dataset = await misMe({ root, split: 'train' });
    rmSync(join(root, IMAGES), { recursive: true });
    const { inputs } = await dataset.sample(1, { modalities: ['table'] });
    expect(Object.keys(inputs)).toEqual(['table']);
    inputs.table.fill(7);
    expect((await dataset.sample(1, { modalities: ['table'] })).inputs.table[0]).not.toBe(7);
    expect((await dataset.sample(1, { modalities: [] })).inputs).toEqual({});
    await expect(dataset.sample(1)).rejects.toThrow(/OK003_20201002_110000_1\.jpg/);
    await expect(dataset.sample(9)).rejects.toThrow(/no sample 9 in the train split of 9/);
  });

  it('numbers a picture that is listed again', async () => {
    const root = copy();
    const csv = join(root, TABLES, 'combined_only_val_set.csv');
    writeFileSync(
      csv,
      readFileSync(csv, 'utf8').replace('OK003_20210306_130000_10.jpg', 'OK001_20201002_110000_9.jpg'),
    );
    const { ids } = await misMe({ root, split: 'validation', format: 'csv' });
    expect(ids.slice(0, 2)).toEqual(['OK001_20201002_110000_9.jpg', 'OK001_20201002_110000_9.jpg#2']);
  });

  it.each([
    ['semicolons', ';', 'utf8'],
    ['tabs, as UTF-16', '\t', 'utf16le'],
  ] as const)('reads a table with decimal commas and %s', async (_, delimiter, encoding) => {
    const root = copy();
    const csv = join(root, TABLES, 'combined_only_train_set.csv');
    const before = await readMisMeTable(csv);
    const text = readFileSync(csv, 'utf8')
      .replaceAll(',', delimiter)
      .replaceAll(/(\d)\.(?=\d)/g, '$1,');
    writeFileSync(csv, `\uFEFF${text}`, encoding);
    expect(before.some(({ vwc }) => !Number.isInteger(vwc))).toBe(true);
    expect(await readMisMeTable(csv)).toEqual(before);
  });

  it('gives the same batches with and without a worker', async () => {
    const collect = async (workers: number) => {
      const dataset = await misMe({ root: good, split: 'train' });
      const all: unknown[] = [];
      for await (const batch of batches(dataset, { batchSize: 4, shuffle: true, workers })) {
        const { image, table } = batch.inputs;
        // Two million numbers, which are slow to compare one by one.
        const hash = createHash('sha256');
        for (const tensor of [batch.labels, image, table]) hash.update(tensor.dataSync());
        all.push([batch.ids, batch.labels.dtype, image.shape, table.shape, hash.digest('hex')]);
        tf.dispose(batch);
      }
      return all;
    };
    expect(await collect(1)).toEqual(await collect(0));
  });

  it('says which files are missing and how to get them', async () => {
    const error: unknown = await misMe({ root: join(folder, 'nowhere'), split: 'test' }).catch(
      (reason: unknown) => reason,
    );
    expect(G2DError.isInstance(error) && error.code).toBe('G2D_DATASET_NOT_FOUND');
    expect(String(error)).toMatch(
      /combined_only_train_set\.xlsx.*combined_only_test_set\.xlsx.*Releases.*v2.*Licence: none/s,
    );
  });

  it.each([
    [{ split: 'val' as Split }, /`split` is "val"; it can be "train", "validation", "test"/],
    [{ split: 'train', station: 'OK001' }, /`station` goes with the test split only/],
    [{ split: 'test', station: 'OK004' as 'OK003' }, /`station` is "OK004"/],
    [{ split: 'test', format: 'xls' as 'xlsx' }, /`format` is "xls"/],
  ] as const)('refuses %o', async (options, message) => {
    await expect(misMe({ root: good, ...options })).rejects.toThrow(message);
  });
});

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly bytes?: number;
  readonly text?: string;
  readonly column?: string;
}
interface BrokenCase {
  readonly id: string;
  readonly ops: readonly Operation[];
  readonly open?: { readonly split: Split; readonly format?: 'csv' };
  readonly read?: { readonly split: Split; readonly index: number };
  readonly expect: 'error' | 'warning' | 'value';
  readonly mentions?: readonly string[];
}
const { cases } = JSON.parse(readFileSync(join(fixtures, 'broken.json'), 'utf8')) as {
  readonly cases: readonly BrokenCase[];
};
const named = (expectation: BrokenCase['expect']) =>
  cases.filter((broken) => broken.expect === expectation).map((broken) => [broken.id, broken] as const);

function damaged({ ops }: Pick<BrokenCase, 'ops'>): string {
  const root = copy();
  for (const { op, path, from = '', bytes = 0, text = '', column = '' } of ops) {
    const target = join(root, path);
    mkdirSync(dirname(target), { recursive: true });
    if (op === 'copy') cpSync(join(tables, from), target);
    else if (op === 'delete') rmSync(target);
    else if (op === 'truncate') truncateSync(target, bytes);
    else if (op === 'write-text') writeFileSync(target, text);
    else if (op === 'drop-csv-column') {
      const lines = readFileSync(target, 'utf8')
        .trimEnd()
        .split(/\r?\n/)
        .map((line) => line.split(','));
      const at = (lines[0] as string[]).indexOf(column);
      writeFileSync(target, lines.map((line) => line.toSpliced(at, 1).join(',')).join('\n'));
    } else throw new Error(`unknown operation ${op}`);
  }
  return root;
}

describe('misMe with damaged files', () => {
  it('has all kinds of cases', () => expect(cases.map((broken) => broken.expect)).toHaveLength(18));

  it.each(named('error'))('refuses %s', async (_, broken) => {
    const root = damaged(broken);
    const read = async () => {
      const dataset = await misMe({
        root,
        split: broken.read?.split ?? 'train',
        ...(broken.open as { readonly split: Split } | undefined),
      });
      if (broken.read) await dataset.sample(broken.read.index);
    };
    const error: unknown = await read().catch((reason: unknown) => reason);
    expect(G2DError.isInstance(error)).toBe(true);
    for (const mention of broken.mentions ?? []) {
      expect(String(error).toLowerCase()).toContain(mention.toLowerCase());
    }
    // The overview does not stop at it, but names it.
    const { problems, asPublished } = await checkMisMe(root, broken.open?.format ? { format: 'csv' } : {});
    expect(asPublished).toBe(false);
    expect(
      problems
        .flatMap(({ reason, ids }) => [reason, ...ids])
        .join('\n')
        .toLowerCase(),
    ).toContain(String(broken.mentions?.[0]).toLowerCase());
  });

  it.each(named('warning'))('warns of %s', async (_, broken) => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const dataset = await misMe({ root: damaged(broken), split: 'train' });
    expect(dataset.warnings).toHaveLength(1);
    expect(dataset.warnings[0]).toMatch(/combined_only_train_set\.xlsx: vwc is/);
    expect(warn).toHaveBeenCalledWith(dataset.warnings[0], { code: 'G2D_MIS_ME_TARGET' });
    warn.mockRestore();
  });

  it.each(named('value'))('takes it for a gap: %s', async (_, broken) => {
    const dataset = await misMe({ root: damaged(broken), split: 'train' });
    const wind = golden.columns.indexOf('wind_speed');
    expect((await dataset.sample(1, { modalities: ['table'] })).inputs.table[wind]).toBe(0);
    expect((await dataset.sample(0, { modalities: ['table'] })).inputs.table[wind]).not.toBe(0);
  });

  it.each([
    ['1,5', /wind_speed in row 2 is "1,5"; expected a number/],
    ['0x10', /wind_speed in row 2 is "0x10"/],
    ['inf', /wind_speed in row 2 is "inf"/],
    ['1e999', /wind_speed in row 2 is "1e999"/],
  ])('refuses the number %s', async (text, message) => {
    const root = copy();
    const csv = join(root, TABLES, 'combined_only_train_set.csv');
    writeFileSync(csv, readFileSync(csv, 'utf8').replace(',0.82,', `,"${text}",`));
    await expect(misMe({ root, split: 'train', format: 'csv' })).rejects.toThrow(message);
  });
});

describe('checkMisMe', () => {
  it('counts the splits; so small a set is not the published one', async () => {
    const steps: number[] = [];
    const check = await checkMisMe(good, { onProgress: (done) => steps.push(done) });
    expect(check).toMatchObject({
      dataset: 'MIS-ME',
      folder: good,
      expected: {
        train: 2701,
        validation: 900,
        test: 900,
        'test OK001': 365,
        'test OK002': 241,
        'test OK003': 294,
      },
      found: { train: 9, validation: 4, test: 5, 'test OK001': 2, 'test OK002': 2, 'test OK003': 1 },
      problems: [],
      asPublished: false,
    });
    expect(steps[0]).toBe(0);
    expect(Math.max(...steps)).toBeLessThan(1);
  });

  it('is content with a folder as published', async () => {
    const root = copy();
    const write = (name: string, rows: number): void => {
      const path = join(root, TABLES, `${name}_set.csv`);
      const [head, ...lines] = readFileSync(path, 'utf8').trimEnd().split(/\r?\n/);
      const many = Array.from({ length: rows }, (_, i) => lines[i % lines.length]);
      writeFileSync(path, [head, ...many].join('\n'));
    };
    write('combined_only_train', 2701);
    write('combined_only_val', 900);
    write('combined_only_test', 900);
    rmSync(join(root, TABLES, 'OK001_only_test_set.csv'));
    const check = await checkMisMe(root, { format: 'csv' });
    expect(check.asPublished).toBe(true);
    expect(check.problems.map(({ reason }) => reason)).toEqual([
      'table of a single station missing (not needed for training)',
    ]);
    write('combined_only_val', 899);
    expect((await checkMisMe(root, { format: 'csv' })).asPublished).toBe(false);
  });

  it('lists what a half downloaded folder lacks', async () => {
    const root = copy();
    rmSync(join(root, IMAGES, 'OK001_20210306_090000_0.jpg'));
    rmSync(join(root, TABLES, 'OK003_only_test_set.xlsx'));
    rmSync(join(root, TABLES, 'OK003_only_test_set.csv'));
    const { problems } = await checkMisMe(root);
    expect(problems.map(({ reason, ids }) => [reason, ids.length])).toEqual([
      ['table of a single station missing (not needed for training)', 1],
      ['picture missing', 1],
    ]);
    // Without a table nobody says which pictures are needed.
    truncateSync(join(root, TABLES, 'combined_only_train_set.xlsx'), 100);
    truncateSync(join(root, IMAGES, 'OK003_20201002_110000_1.jpg'), 100);
    expect((await checkMisMe(root)).problems).toContainEqual({
      reason: 'picture broken',
      ids: [expect.stringMatching(/^OK003_20201002_110000_1\.jpg: /)],
    });
    const nothing = await checkMisMe(join(folder, 'nowhere'));
    expect(nothing.problems.map(({ reason }) => reason)).toEqual([
      'table missing',
      'table of a single station missing (not needed for training)',
      'folder of pictures missing or empty',
    ]);
    expect(nothing.asPublished).toBe(false);
  });
});

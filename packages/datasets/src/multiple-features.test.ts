import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import * as tf from '@tensorflow/tfjs';
import { G2DError, type Split } from '@g2d/core';
import { loadTensorFlow } from '@g2d/native';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectKnownBeforeReading } from '../test/known-before-reading.js';
import { batches } from './batches.js';
import { fingerprint } from './fingerprint.js';
import { FACTS, VIEWS, type View } from './multiple-features/views.js';
import { multipleFeatures } from './multiple-features.js';

const root = fileURLToPath(new URL('../../../data/multiple-features', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'g2d-multiple-features-'));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => loadTensorFlow({ backend: 'cpu', quiet: true }));

const SPLITS = ['train', 'validation', 'test'] as const;
const text = (view: View, from = root): string =>
  gunzipSync(readFileSync(join(from, `mfeat-${view}.csv.gz`))).toString('utf8');
/** `[2000][columns + 1]`, read another way than the loader's. */
const table = (view: View): number[][] =>
  text(view)
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').map(Number));
/** The row of an id such as 3-017. */
const rowOf = (id: string): number => 200 * Number(id.slice(0, 1)) + Number(id.slice(2));

describe('multipleFeatures', () => {
  it('has 120, 30 and 50 numerals of each class, each numeral in one split', async () => {
    const all: string[] = [];
    for (const [split, count] of [
      ['train', 120],
      ['validation', 30],
      ['test', 50],
    ] as const) {
      const dataset = await multipleFeatures({ root, split, views: ['mor'] });
      await expectKnownBeforeReading(dataset);
      expect(dataset).toMatchObject({ size: 10 * count, task: 'classification', modalities: ['mor'] });
      expect(dataset.classNames).toEqual([...'0123456789']);
      const perClass = Array.from({ length: 10 }, () => 0);
      for (const [i, id] of dataset.ids.entries()) {
        expect(dataset.labels![i]).toBe(Number(id[0]));
        perClass[dataset.labels![i] as number]!++;
      }
      expect(perClass).toEqual(Array.from({ length: 10 }, () => count));
      all.push(...dataset.ids);
    }
    expect(new Set(all).size).toBe(2000);
  });

  it('draws each class apart, by the seed', async () => {
    const ids = async (seed: number) =>
      (await multipleFeatures({ root, split: 'test', views: ['mor'], seed })).ids;
    expect(await ids(0)).toEqual(await ids(0));
    expect(await ids(1)).not.toEqual(await ids(0));
    const placesOf = (all: readonly string[], digit: string) =>
      all.filter((id) => id.startsWith(digit)).map((id) => id.slice(2));
    expect(placesOf(await ids(0), '0')).not.toEqual(placesOf(await ids(0), '1'));
  });

  it.each(SPLITS)('gives the numbers of the files as its preprocessing says (%s)', async (split) => {
    const dataset = await multipleFeatures({ root, split, pix: 'vector' });
    expect(dataset.modalities).toEqual(VIEWS);
    const tables = Object.fromEntries(VIEWS.map((view) => [view, table(view)]));
    for (const index of [0, 1, dataset.size - 1]) {
      const { id, label, inputs } = await dataset.sample(index);
      expect(label).toBe(tables['fou']![rowOf(id)]!.at(-1));
      for (const view of VIEWS) {
        const { mean, std } = dataset.preprocessing![view]!;
        expect(dataset.shapes[view]).toEqual([FACTS[view].columns]);
        const raw = Array.from(inputs[view], (x, i) => x * std![i]! + mean![i]!);
        const row = tables[view]![rowOf(id)]!.slice(0, -1);
        expect(raw.length).toBe(row.length);
        row.forEach((value, i) =>
          expect(Math.abs(value - raw[i]!)).toBeLessThan(1e-5 * (1 + Math.abs(value))),
        );
      }
    }
  });

  it('standardizes by the training split alone, the picture over all pixels', async () => {
    const train = await multipleFeatures({ root, split: 'train', views: ['pix', 'zer'] });
    const test = await multipleFeatures({ root, split: 'test', views: ['pix', 'zer'] });
    expect(test.preprocessing).toEqual(train.preprocessing);
    expect(train.shapes).toEqual({ pix: [16, 15, 1], zer: [47] });
    const pixels: number[] = [];
    const first: number[] = [];
    for (let i = 0; i < train.size; i++) {
      const { inputs } = await train.sample(i);
      pixels.push(...inputs.pix);
      first.push(inputs.zer[0]!);
    }
    for (const values of [pixels, first]) {
      const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
      const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
      expect(Math.abs(mean)).toBeLessThan(1e-5);
      expect(Math.abs(variance - 1)).toBeLessThan(1e-4);
    }
    // 16 rows of 15: the second row of the picture begins with the sixteenth number.
    const { id, inputs } = await test.sample(3);
    const { mean, std } = test.preprocessing!.pix!;
    expect(inputs.pix[15]! * std![0]! + mean![0]!).toBeCloseTo(table('pix')[rowOf(id)]![15]!, 4);
  });

  it('predicts a column from the other views', async () => {
    const column = table('mor').map((row) => row[4]!);
    const [low, high] = [Math.min(...column), Math.max(...column)];
    const labels: number[] = [];
    for (const split of SPLITS) {
      const dataset = await multipleFeatures({ root, split, target: { view: 'mor', column: 4 } });
      expect(dataset).toMatchObject({ task: 'regression', classNames: [] });
      expect(dataset.modalities).toEqual(['fou', 'fac', 'kar', 'pix', 'zer']);
      for (const [i, id] of dataset.ids.entries()) {
        const value = low + (((dataset.labels![i] as number) - 0.1) / 0.8) * (high - low);
        expect(value).toBeCloseTo(column[rowOf(id)]!, 10);
        labels.push(dataset.labels![i] as number);
      }
      expect((await dataset.sample(7)).label).toBe(dataset.labels![7]);
    }
    expect(Math.min(...labels)).toBeCloseTo(0.1, 12);
    expect(Math.max(...labels)).toBeCloseTo(0.9, 12);
  });

  it('reads the files of its views alone, and gives fresh arrays', async () => {
    const own = join(folder, 'some');
    for (const view of ['fou', 'mor'])
      cpSync(join(root, `mfeat-${view}.csv.gz`), join(own, `mfeat-${view}.csv.gz`));
    const dataset = await multipleFeatures({ root: own, split: 'train', views: ['mor', 'fou'] });
    expect(dataset.modalities).toEqual(['mor', 'fou']);
    const { inputs } = await dataset.sample(1, { modalities: ['fou'] });
    expect(Object.keys(inputs)).toEqual(['fou']);
    const [before] = inputs.fou;
    inputs.fou.fill(7);
    expect((await dataset.sample(1)).inputs.fou[0]).toBe(before);
    expect(dataset.files!(0, 'mor')).toEqual([join(own, 'mfeat-mor.csv.gz')]);
    await expect(dataset.sample(1200)).rejects.toThrow(/no sample 1200 in the train split of 1200/);
    await expect(multipleFeatures({ root: own, split: 'train', views: ['mor', 'zer'] })).rejects.toThrow(
      /Multiple Features is not complete under .*: missing .*mfeat-zer\.csv\.gz\. The six files lie in `data\/multiple-features\/`/,
    );
  });

  it('gives the same batches with and without a worker, and another fingerprint for another split', async () => {
    const open = (seed = 0) => multipleFeatures({ root, split: 'validation', views: ['mor', 'zer'], seed });
    const collect = async (workers: number) => {
      const all: unknown[] = [];
      for await (const batch of batches(await open(), { batchSize: 64, shuffle: true, workers })) {
        const hash = createHash('sha256');
        for (const tensor of [batch.labels, batch.inputs.mor, batch.inputs.zer])
          hash.update(tensor.dataSync());
        all.push([batch.ids, batch.labels.dtype, hash.digest('hex')]);
        tf.dispose(batch);
      }
      return all;
    };
    expect(await collect(1)).toEqual(await collect(0));
    const print = async (seed: number) => fingerprint(await open(seed), { modalities: ['mor', 'zer'] });
    expect(await print(0)).toEqual(await print(0));
    expect(await print(1)).not.toEqual(await print(0));
  });

  it.each([
    [{ split: 'val' as Split }, /`split` is "val"/],
    [{ views: ['fou', 'fou'] }, /`views` names fou twice/],
    [{ views: ['fou', 'far' as 'fac'] }, /views/],
    [{ views: [] }, /views/],
    [{ target: { view: 'mor', column: 6 } }, /`target\.column` is 6; mor has the columns 0 to 5/],
    [
      { target: { view: 'mor', column: 4 }, views: ['fou', 'mor'] },
      /`views` has mor, a column of which is the target/,
    ],
    [{ target: 'digit' as 'class' }, /target/],
    [{ seed: -1 }, /seed/],
  ] as const)('refuses %o', async (options, message) => {
    const given = { root, split: 'train', ...options } as Parameters<typeof multipleFeatures>[0];
    const error: unknown = await multipleFeatures(given).catch((reason: unknown) => reason);
    expect(G2DError.isInstance(error) && error.code).toBe('G2D_OPTION');
    expect(String(error)).toMatch(message);
  });
});

describe('multipleFeatures with files that are not the repository’s', () => {
  let copies = 0;
  const copy = (): string => {
    const own = join(folder, `copy-${copies++}`);
    cpSync(root, own, { recursive: true });
    return own;
  };
  const changed = (change: (lines: string[]) => readonly string[]): string => {
    const own = copy();
    const lines = change(text('mor').trim().split('\n'));
    writeFileSync(join(own, 'mfeat-mor.csv.gz'), gzipSync(`${lines.join('\n')}\n`));
    return own;
  };
  const edited = (line: number, edit: (text: string) => string): string =>
    changed((lines) => lines.with(line - 1, edit(lines[line - 1]!)));

  it.each([
    [
      'a row too few',
      () => changed((lines) => lines.slice(0, -1)),
      /has 1999 rows below its header; expected 2000/,
    ],
    ['no row', () => changed(() => []), /has 0 rows below its header; expected 2000/],
    [
      'a column too many',
      () => edited(7, (line) => `1,${line}`),
      /line 7 has 8 columns; expected 7: 6 numbers of mor and the class/,
    ],
    [
      'a column too few in all',
      () => changed((lines) => lines.map((line) => line.slice(2))),
      /line 1 has 6 columns; expected 7/,
    ],
    [
      'a word',
      () => edited(3, (line) => line.replace('126.72', 'many')),
      /column 4 of line 3 is "many"; expected a number/,
    ],
    [
      'a gap',
      () => edited(3, (line) => line.replace('126.72', '')),
      /column 4 of line 3 is ""; expected a number/,
    ],
    ['NaN', () => edited(3, (line) => line.replace('126.72', 'NaN')), /column 4 of line 3 is "NaN"/],
    [
      'rows in another order',
      () => changed((lines) => [lines[0]!, ...lines.slice(1).toReversed()]),
      /line 2 is of class 9; expected class 0/,
    ],
    [
      'a digit changed',
      () => edited(3, (line) => line.replace('126.72', '126.73')),
      /is another file than the repository's: its SHA-256 is [0-9a-f]{64}; expected fe450f/,
    ],
    [
      'damaged bytes',
      () => {
        const own = copy();
        const path = join(own, 'mfeat-mor.csv.gz');
        writeFileSync(path, readFileSync(path).subarray(0, 9000));
        return own;
      },
      /damaged gzip data/,
    ],
  ] as const)('refuses %s, in one sentence that the check has too', async (_, make, message) => {
    const own = make();
    const error: unknown = await multipleFeatures({ root: own, split: 'test', views: ['fou', 'mor'] }).catch(
      (reason: unknown) => reason,
    );
    expect(G2DError.isInstance(error) && error.code).toBe('G2D_FILE_FORMAT');
    expect(String(error)).toMatch(message);
    const { problems, found, asPublished } = await multipleFeatures.check!({ root: own } as never);
    expect(asPublished).toBe(false);
    expect(found).toMatchObject({ 'rows of fou': 2000, 'rows of mor': 0 });
    expect(problems).toEqual([{ reason: 'file that cannot be used', ids: [expect.stringMatching(message)] }]);
  });

  it('finds the repository’s folder as published, its list of checksums too, and names what is missing', async () => {
    const steps: number[] = [];
    const check = await multipleFeatures.check!({ root } as never, (done) => steps.push(done));
    expect(check).toMatchObject({ problems: [], asPublished: true, found: { 'rows of zer': 2000 } });
    expect(Math.max(...steps)).toBeLessThan(1);
    const listed = readFileSync(join(root, 'SHA256SUMS'), 'utf8').trim().split('\n');
    expect(new Set(listed)).toEqual(
      new Set(VIEWS.map((view) => `${FACTS[view].sha256}  mfeat-${view}.csv.gz`)),
    );
    const own = copy();
    rmSync(join(own, 'mfeat-kar.csv.gz'));
    expect((await multipleFeatures.check!({ root: own } as never)).problems).toEqual([
      { reason: 'file missing', ids: [join(own, 'mfeat-kar.csv.gz')] },
    ]);
  });
});

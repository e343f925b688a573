import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { openNpy } from '@g2d/formats/node';
import { loadTensorFlow } from '@g2d/native';
import { G2DError } from '@g2d/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectKnownBeforeReading } from '../test/known-before-reading.js';
import { batches } from './batches.js';
import type { Split } from '@g2d/core';
import { checkUrFunny } from './ur-funny/check.js';
import type { UrFunnyModality } from './ur-funny/word-table.js';
import { urFunny } from './ur-funny.js';
import type { UrFunnyOptions } from './ur-funny/options.js';

// Made with the reference's Python code; the NOTICE.txt of both folders says what the data are.
const trees = fileURLToPath(new URL('../../../test/fixtures/io/urfunny', import.meta.url));
const more = fileURLToPath(new URL('../../../test/fixtures/datasets/urfunny', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'g2d-ur-funny-'));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => loadTensorFlow({ backend: 'cpu', quiet: true }));

const tree = (name: string): string => join(trees, name);
const file = (name: string): string => (existsSync(join(trees, name)) ? join(trees, name) : join(more, name));
let copies = 0;
function copy(name: string): string {
  const root = join(folder, `copy-${copies++}`);
  cpSync(tree(name), root, { recursive: true });
  return root;
}

interface GoldenArray {
  readonly shape: readonly number[];
  readonly mean: number;
  readonly l2: number;
  readonly min: number;
  readonly max: number;
  readonly positions: readonly (readonly [number, number])[];
  readonly file?: string;
}
type PerModality = Readonly<Record<UrFunnyModality, GoldenArray>>;
interface RawSample extends PerModality {
  readonly id: number;
  readonly label: number;
  readonly length: number;
}
interface PackedSample extends PerModality {
  readonly row: number;
  readonly label: number;
  readonly length: number;
  readonly znorm: PerModality;
}
interface RawPart {
  readonly ids: readonly number[];
  readonly dropped_no_text: readonly number[];
  readonly samples: readonly RawSample[];
  readonly batch: PerModality & { readonly labels: readonly number[] };
}
interface PackedPart {
  readonly kept_rows: readonly number[];
  readonly samples: readonly PackedSample[];
}
const golden = JSON.parse(readFileSync(file('expected.json'), 'utf8')) as {
  readonly raw: {
    readonly folders: readonly string[];
    readonly splits: Readonly<Record<'train' | 'dev' | 'test', RawPart>>;
    readonly non_finite_values_in_first_20_words: Readonly<Record<'minus_inf' | 'nan' | 'plus_inf', number>>;
    readonly notebook_form: {
      readonly embedding_row0_first: readonly number[];
      readonly samples: readonly {
        readonly id: number;
        readonly punchline: GoldenArray;
        readonly context: GoldenArray;
      }[];
    };
  };
  readonly packed: {
    readonly files: readonly string[];
    readonly splits: Readonly<Record<'train' | 'valid' | 'test', PackedPart>>;
  };
};
const MODALITIES = ['audio', 'visual', 'text'] as const;
const WIDTHS = { audio: 81, visual: 371, text: 300 } as const;
const SPLITS = ['train', 'validation', 'test'] as const;
const rawPart = (split: Split): RawPart => golden.raw.splits[split === 'validation' ? 'dev' : split];
const packedPart = (split: Split): PackedPart =>
  golden.packed.splits[split === 'validation' ? 'valid' : split];

/** Whether all stated numbers are those of the array; `relative` to max(1, |value|). */
function expectGolden(actual: ArrayLike<number>, expected: GoldenArray, relative = 0): void {
  expect(actual.length).toBe(expected.shape.reduce((product, axis) => product * axis, 1));
  const worst = (pairs: Iterable<readonly [number, number]>): number =>
    [...pairs].reduce(
      (most, [at, value]) =>
        Math.max(most, Math.abs((actual[at] as number) - value) / Math.max(1, Math.abs(value))),
      0,
    );
  expect(worst(expected.positions)).toBeLessThanOrEqual(relative);
  const values = Array.from(actual);
  expect(values.reduce((most, value) => Math.max(most, value), -Infinity)).toBeCloseTo(
    expected.max,
    relative ? 3 : 10,
  );
  expect(values.reduce((least, value) => Math.min(least, value), Infinity)).toBeCloseTo(
    expected.min,
    relative ? 3 : 10,
  );
  const l2 = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0));
  expect(Math.abs(l2 - expected.l2)).toBeLessThanOrEqual(1e-6 * expected.l2);
  expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(expected.mean, 5);
  if (expected.file === undefined) return;
  const whole = openNpy(file(expected.file));
  expect(worst(whole.all().entries())).toBeLessThanOrEqual(relative);
  whole.close();
}

describe('urFunny, raw pickles', () => {
  const each = golden.raw.folders.flatMap((root) => SPLITS.map((split) => [root, split] as const));

  it.each(each)('gives what the reference makes of %s, %s', async (root, split) => {
    const part = rawPart(split);
    for (const official of [false, true]) {
      const dataset = await urFunny({ root: tree(root), split, official });
      expect(dataset).toMatchObject({
        name: 'ur-funny',
        split,
        task: 'classification',
        modalities: MODALITIES,
        shapes: { audio: [null, 81], visual: [null, 371], text: [null, 300] },
        classNames: ['no joke', 'joke'],
        size: part.ids.length,
        ids: part.ids.map(String),
      });
      expect(Object.values(dataset.dropped).flat()).toEqual(part.dropped_no_text.map(String));
      for (const [index, expected] of part.samples.entries()) {
        const { id, label, inputs } = await dataset.sample(index);
        expect([id, label]).toEqual([String(expected.id), expected.label]);
        for (const modality of MODALITIES) {
          expect(inputs[modality].length).toBe(expected.length * WIDTHS[modality]);
          expectGolden(inputs[modality], expected[modality]);
        }
      }
    }
  });

  it('counts what was not finite', async () => {
    const counts = { minus_inf: 0, nan: 0, plus_inf: 0 };
    for (const split of SPLITS) {
      const { zeroed } = await urFunny({ root: tree('raw_python3_p4'), split });
      for (const modality of MODALITIES) {
        counts.minus_inf += zeroed[modality].minusInfinity;
        counts.nan += zeroed[modality].nan;
        counts.plus_inf += zeroed[modality].plusInfinity;
      }
    }
    // One −∞ is of a word before the first one with a vector, which is cut off.
    const { minus_inf, nan, plus_inf } = golden.raw.non_finite_values_in_first_20_words;
    expect(counts).toEqual({ minus_inf: minus_inf - 1, nan, plus_inf });
  });

  it.each(SPLITS)('is padded to the longest by batches, as the reference’s batch, %s', async (split) => {
    const { batch } = rawPart(split);
    const dataset = await urFunny({ root: tree('raw_python2_p2'), split });
    for await (const made of batches(dataset, { batchSize: 16 })) {
      expect([...made.labels.dataSync()]).toEqual(batch.labels);
      for (const modality of MODALITIES) {
        expect(made.inputs[modality].shape).toEqual(batch[modality].shape);
        expectGolden(made.inputs[modality].dataSync(), batch[modality]);
      }
      tf.dispose(made);
    }
  });

  it.each(golden.raw.folders)('gives the form of the authors’ notebook, %s', async (root) => {
    const options = { root: tree(root), split: 'train', sequence: 'padded', official: true } as const;
    const punchlines = await urFunny(options);
    const withContext = await urFunny({ ...options, contextSentences: 5 });
    expect(punchlines.shapes).toEqual({ audio: [20, 81], visual: [20, 371], text: [20, 300] });
    expect(withContext.shapes.text).toEqual([6, 20, 300]);
    for (const { id, punchline, context } of golden.raw.notebook_form.samples) {
      const alone = (await punchlines.sample(punchlines.ids.indexOf(String(id)))).inputs;
      expectGolden(sideBySide(alone, 20), punchline);
      const { inputs } = await withContext.sample(withContext.ids.indexOf(String(id)));
      const all = sideBySide(inputs, 120);
      expectGolden(all.subarray(0, 100 * 752), context);
      expectGolden(all.subarray(100 * 752), punchline);
    }
    // By default padding is zeros.
    const { inputs } = await (
      await urFunny({ ...options, official: false })
    ).sample(0, { modalities: ['text'] });
    expect(inputs.text.subarray(0, 19 * 300).every((value) => value === 0)).toBe(true);
  });

  it('reads version 1, with fewer columns of OpenFace', async () => {
    for (const split of SPLITS) {
      const first = await urFunny({ root: tree('raw_v1_p3'), split });
      expect(first.shapes.visual).toEqual([null, 75]);
      const { inputs } = await first.sample(0);
      const second = await urFunny({ root: tree('raw_python3_p4'), split: 'train' });
      const same = await second.sample(second.ids.indexOf(first.ids[0] as string));
      expect(inputs.audio).toEqual(same.inputs.audio);
      expect(inputs.text).toEqual(same.inputs.text);
      const words = inputs.text.length / 300;
      for (let word = 0; word < words; word++) {
        expect(inputs.visual.slice(word * 75, (word + 1) * 75)).toEqual(
          same.inputs.visual.slice(word * 371, word * 371 + 75),
        );
      }
    }
  });

  it('reads arrays that Python 2 pickled, among lists', async () => {
    const root = copy('raw_v1_p3');
    cpSync(tree('raw_python2_numpy_p2'), root, { recursive: true });
    const train = await urFunny({ root, split: 'train' });
    expectGolden((await train.sample(0)).inputs.audio, (rawPart('train').samples[0] as RawSample).audio);
  });

  it('takes fewer words', async () => {
    const dataset = await urFunny({ root: tree('raw_python3_p4'), split: 'train', words: 2 });
    await expectKnownBeforeReading(dataset);
    await expectKnownBeforeReading(await urFunny({ root: tree('packed_python3_p4'), split: 'train' }));
    const all = await urFunny({ root: tree('raw_python3_p4'), split: 'train' });
    const index = dataset.ids.indexOf('102');
    expect((await dataset.sample(index)).inputs.audio).toEqual(
      (await all.sample(index)).inputs.audio.slice(0, 2 * 81),
    );
  });

  it('standardises by the training split’s words', async () => {
    const root = tree('raw_python3_p4');
    const raw = await urFunny({ root, split: 'train' });
    const rows: number[][] = [];
    for (let i = 0; i < raw.size; i++) {
      const { audio } = (await raw.sample(i)).inputs;
      for (let at = 0; at < audio.length; at += 81) rows.push([...audio.subarray(at, at + 81)]);
    }
    const mean = (column: number): number =>
      rows.reduce((sum, row) => sum + (row[column] as number), 0) / rows.length;
    const means = Array.from({ length: 81 }, (_, column) => mean(column));
    const stds = means.map((centre, column) =>
      Math.sqrt(rows.reduce((sum, row) => sum + ((row[column] as number) - centre) ** 2, 0) / rows.length),
    );
    for (const split of ['train', 'test'] as const) {
      const plain = (await (await urFunny({ root, split })).sample(0)).inputs.audio;
      const normalized = (await (await urFunny({ root, split, normalization: 'train' })).sample(0)).inputs
        .audio;
      normalized.forEach((value, i) => {
        const expected = ((plain[i] as number) - (means[i % 81] as number)) / (stds[i % 81] as number);
        expect(Math.abs(value - expected)).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected)));
      });
    }
  });
});

/** `[words, 752]` as the notebook has it: text, audio, visual beside each other. */
function sideBySide(inputs: Readonly<Record<UrFunnyModality, Float32Array>>, words: number): Float32Array {
  const all = new Float32Array(words * 752);
  for (let word = 0; word < words; word++) {
    let at = word * 752;
    for (const modality of ['text', 'audio', 'visual'] as const) {
      const width = WIDTHS[modality];
      all.set(inputs[modality].subarray(word * width, (word + 1) * width), at);
      at += width;
    }
  }
  return all;
}

describe('urFunny, packed', () => {
  const each = golden.packed.files.flatMap((path) => SPLITS.map((split) => [path, split] as const));

  it.each(each)('gives what the reference makes of %s, %s', async (path, split) => {
    const part = packedPart(split);
    const root = join(tree(path), '..');
    const dataset = await urFunny({ root, split, official: true });
    const normalized = await urFunny({ root, split, official: true, normalization: 'sample' });
    const name = split === 'validation' ? 'valid' : split;
    expect(dataset.ids).toEqual(part.kept_rows.map((row) => `${name}/${row}`));
    for (const [index, expected] of part.samples.entries()) {
      const { label, inputs } = await dataset.sample(index);
      expect(label).toBe(expected.label);
      const { inputs: scaled } = await normalized.sample(index);
      for (const modality of MODALITIES) {
        expectGolden(inputs[modality], expected[modality]);
        expectGolden(scaled[modality], expected.znorm[modality], 1e-5);
      }
    }
  });

  it('keeps words whose vectors cancel, unless it is to be official', async () => {
    const root = tree('packed_python3_p4');
    const sane = await urFunny({ root, split: 'test' });
    expect([sane.ids, sane.dropped]).toEqual([['test/0', 'test/1', 'test/2'], {}]);
    const official = await urFunny({ root, split: 'test', official: true });
    expect(official.dropped).toEqual({ 'the word vectors sum to 0': ['test/2'] });
    expect((await urFunny({ root, split: 'train' })).dropped).toEqual({
      'no text: all word vectors are zero': ['train/1'],
    });
  });

  it('takes the other name of the file, and rows as they are', async () => {
    const root = copy('packed_python3_p4');
    cpSync(join(root, 'humor.pkl'), join(root, 'urfunny_punchline.pkl'));
    rmSync(join(root, 'humor.pkl'));
    const padded = await urFunny({ root, split: 'test', sequence: 'padded' });
    expect(padded.shapes).toEqual({ audio: [5, 81], visual: [5, 371], text: [5, 300] });
    const cut = await (await urFunny({ root, split: 'test' })).sample(0, { modalities: ['text'] });
    const { text } = (await padded.sample(0, { modalities: ['text'] })).inputs;
    expect(text.subarray(300)).toEqual(cut.inputs.text);
    expect(text.subarray(0, 300).every((value) => value === 0)).toBe(true);
  });
});

describe('urFunny', () => {
  it('gives what is asked for, in fresh arrays', async () => {
    const dataset = await urFunny({ root: tree('raw_python3_p4'), split: 'train' });
    const { inputs } = await dataset.sample(1, { modalities: ['text', 'audio'] });
    expect(Object.keys(inputs)).toEqual(['text', 'audio']);
    inputs.text.fill(7);
    expect((await dataset.sample(1)).inputs.text[0]).not.toBe(7);
    expect(await dataset.sample(1, { modalities: [] })).toEqual({ id: '102', label: 0, inputs: {} });
    await expect(dataset.sample(5)).rejects.toThrow(/no sample 5 in the train split of 5/);
    await dataset.close();
    await expect(dataset.sample(1)).rejects.toThrow(/has been closed/);
  });

  it('gives the same batches with and without a worker', async () => {
    const collect = async (workers: number) => {
      const dataset = await urFunny({ root: tree('raw_python3_p4'), split: 'train', normalization: 'train' });
      const all: unknown[] = [];
      for await (const batch of batches(dataset, { batchSize: 2, shuffle: true, workers })) {
        const { audio, visual, text } = batch.inputs;
        all.push([batch.ids, ...[batch.labels, audio, visual, text].map((tensor) => tensor.arraySync())]);
        tf.dispose(batch);
      }
      return all;
    };
    expect(await collect(1)).toEqual(await collect(0));
  });

  it('says which files are missing and how to get them', async () => {
    const error: unknown = await urFunny({ root: join(folder, 'nowhere'), split: 'test' }).catch(
      (reason: unknown) => reason,
    );
    expect(G2DError.isInstance(error) && error.code).toBe('G2D_DATASET_NOT_FOUND');
    expect(String(error)).toMatch(
      /data_folds\.pkl.*openface_features_sdk\.pkl.*ROC-HCI\/UR-FUNNY.*Licence: none/s,
    );
  });

  it.each<[Partial<UrFunnyOptions>, RegExp]>([
    [{ split: 'dev' as Split }, /`split` is "dev"/],
    [{ words: 0 }, /`words` is 0/],
    [{ contextSentences: 2 }, /`contextSentences` needs `sequence: 'padded'`/],
    [{ sequence: 'padded', normalization: 'train' }, /would turn the zeros/],
    [{ normalization: 'z' as 'none' }, /`normalization` is "z"/],
    [{ widths: { audio: 1.5 } }, /`widths.audio` is 1.5/],
    [{ root: tree('packed_python3_p4'), sequence: 'padded', contextSentences: 1 }, /holds punchlines only/],
  ])('refuses %o', async (options, message) => {
    await expect(urFunny({ root: tree('raw_python3_p4'), split: 'train', ...options })).rejects.toThrow(
      message,
    );
  });

  it('takes another number of features if it is told', async () => {
    const root = copy('packed_python3_p4');
    cpSync(file('broken_files/packed_80_features.pkl'), join(root, 'humor.pkl'));
    const dataset = await urFunny({ root, split: 'train', widths: { audio: 80 } });
    expect(dataset.shapes.audio).toEqual([null, 80]);
  });
});

interface BrokenCase {
  readonly id: string;
  readonly base: string;
  readonly ops: readonly {
    readonly op: string;
    readonly path: string;
    readonly from?: string;
    readonly bytes?: number;
    readonly text?: string;
  }[];
  readonly open: { readonly split: Split };
  readonly expect: string;
  readonly mentions: readonly string[];
  readonly must_not_exist?: string;
}
const { cases } = JSON.parse(readFileSync(file('broken.json'), 'utf8')) as {
  readonly cases: readonly BrokenCase[];
};

function damaged({ base, ops }: BrokenCase): string {
  const root = copy(base);
  for (const { op, path, from = '', bytes = 0, text = '' } of ops) {
    const target = join(root, path);
    if (op === 'copy') cpSync(file(from), target);
    else if (op === 'delete') rmSync(target);
    else if (op === 'truncate') truncateSync(target, bytes);
    else if (op === 'write-text') writeFileSync(target, text);
    else throw new Error(`unknown operation ${op}`);
  }
  return root;
}

describe('urFunny with damaged files', () => {
  it('knows every kind of case', () => {
    expect(cases).toHaveLength(24);
    expect(cases.every((broken) => broken.expect === 'error')).toBe(true);
  });

  it.each(cases.map((broken) => [broken.id, broken] as const))('refuses %s', async (_, broken) => {
    const root = damaged(broken);
    const error: unknown = await urFunny({ root, ...broken.open }).catch((reason: unknown) => reason);
    expect(G2DError.isInstance(error)).toBe(true);
    // The overview does not stop at it, but names it.
    const { problems, asPublished } = await checkUrFunny(root);
    expect(asPublished).toBe(false);
    const overview = problems.flatMap(({ reason, ids }) => [reason, ...ids]).join('\n');
    for (const mention of broken.mentions) {
      expect(String(error).toLowerCase()).toContain(mention.toLowerCase());
      expect(overview.toLowerCase()).toContain(mention.toLowerCase());
    }
    if (broken.must_not_exist === undefined) return;
    for (const where of [root, process.cwd()])
      expect(readdirSync(where)).not.toContain(broken.must_not_exist);
  });
});

describe('checkUrFunny', () => {
  it('counts the splits and says what was left out', async () => {
    const check = await checkUrFunny(tree('raw_python3_p4'));
    expect(check).toMatchObject({
      dataset: 'UR-FUNNY',
      expected: { train: 7614, validation: 980, test: 994 },
      found: { train: 6, validation: 3, test: 3 },
      asPublished: false,
    });
    expect(check.problems.map(({ reason }) => reason)).toEqual([
      'sample left out (expected of the published files)',
      'numbers that are not finite, read as 0 (expected of the published files)',
    ]);
    expect(check.problems[0]?.ids).toEqual(['train: 305, no text: all word vectors are zero']);
  });

  it('lists what a half downloaded folder lacks, and what is broken of the rest', async () => {
    const root = copy('raw_python3_p4');
    rmSync(join(root, 'openface_features_sdk.pkl'));
    rmSync(join(root, 'word_embedding_list.pkl'));
    truncateSync(join(root, 'covarep_features_sdk.pkl'), 1000);
    const { problems, asPublished } = await checkUrFunny(root);
    expect(asPublished).toBe(false);
    expect(problems.map(({ reason, ids }) => [reason, ids.length])).toEqual([
      ['file missing', 2],
      ['file that cannot be used', 1],
    ]);
    expect((await checkUrFunny(join(folder, 'nowhere'))).problems[0]?.ids).toHaveLength(6);
  });

  it('refuses a dictionary whose keys are neither text nor numbers', async () => {
    const root = copy('raw_python3_p4');
    // Of Python's pickle: dumps({(1, 2): 0}, 2)
    writeFileSync(join(root, 'humor_label_sdk.pkl'), Buffer.from('gAJ9cQBLAUsChnEBSwBzLg==', 'base64'));
    await expect(urFunny({ root, split: 'train' })).rejects.toThrow(
      /humor_label_sdk\.pkl: has a list as a key; expected text or whole numbers/,
    );
  });

  it('reports all splits that can be read', async () => {
    const root = copy('raw_python3_p4');
    cpSync(file('broken_files/labels_one_missing.pkl'), join(root, 'humor_label_sdk.pkl'));
    expect((await checkUrFunny(root)).found).toEqual({ train: 0, validation: 3, test: 3 });
  });
});

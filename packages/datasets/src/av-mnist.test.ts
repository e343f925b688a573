import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openNpy, writeNpy } from '@g2d/formats/node';
import { G2DError } from '@g2d/core';
import { afterAll, describe, expect, expectTypeOf, it } from 'vitest';
import { expectKnownBeforeReading } from '../test/known-before-reading.js';
import { avMnist } from './av-mnist.js';
import type { MultimodalDataset, Sample, Split } from '@g2d/core';

// Made with the released Python loader of the paper; test/fixtures/avmnist/NOTICE.txt names the data's licences.
const fixtures = fileURLToPath(new URL('../../../test/fixtures/avmnist', import.meta.url));
const good = join(fixtures, 'avmnist');
const folder = mkdtempSync(join(tmpdir(), 'g2d-avmnist-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface GoldenArray {
  readonly mean: number;
  readonly l2: number;
  readonly positions: readonly (readonly [number, number])[];
  readonly corner?: string;
  readonly file?: string;
}
interface GoldenSplit {
  readonly count: number;
  readonly labels: readonly number[];
  readonly images_all: GoldenArray;
  readonly samples: readonly {
    readonly index: number;
    readonly label: number;
    readonly image: GoldenArray;
    readonly audio: GoldenArray;
  }[];
}
const golden = JSON.parse(readFileSync(join(fixtures, 'expected.json'), 'utf8')) as {
  readonly splits: Readonly<Record<'train' | 'test', GoldenSplit>>;
  readonly variants: readonly { readonly file: string; readonly replaces: string }[];
};

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-6): void {
  expect(actual.length).toBe(expected.length);
  let worst = 0;
  for (let i = 0; i < actual.length; i++) {
    worst = Math.max(worst, Math.abs((actual[i] as number) - (expected[i] as number)));
  }
  expect(worst).toBeLessThanOrEqual(tolerance);
}

function goldenFile(name: string): ArrayLike<number> {
  const file = openNpy(join(fixtures, name));
  const values = file.all();
  file.close();
  return values;
}

function expectGolden(actual: Float32Array, expected: GoldenArray): void {
  let sum = 0;
  let squares = 0;
  for (const value of actual) {
    sum += value;
    squares += value * value;
  }
  expect(sum / actual.length).toBeCloseTo(expected.mean, 6);
  expect(Math.sqrt(squares)).toBeCloseTo(expected.l2, 4);
  expectClose(
    expected.positions.map(([at]) => actual[at] as number),
    expected.positions.map(([, value]) => value),
  );
  if (expected.file !== undefined) expectClose(actual, goldenFile(expected.file));
  if (expected.corner !== undefined) {
    const side = Math.sqrt(actual.length);
    const corner = Array.from(
      { length: 256 },
      (_, i) => actual[Math.floor(i / 16) * side + (i % 16)] as number,
    );
    expectClose(corner, goldenFile(expected.corner));
  }
}

async function allSamples<M extends string>(dataset: MultimodalDataset<M>): Promise<Sample<M>[]> {
  const samples: Sample<M>[] = [];
  for (let i = 0; i < dataset.size; i++) samples.push(await dataset.sample(i));
  await dataset.close();
  return samples;
}

let copies = 0;
/** A copy of the good files that may be damaged. */
function copy(): string {
  const root = join(folder, `copy-${copies++}`);
  cpSync(good, root, { recursive: true });
  return root;
}

const code = (error: unknown): string => (G2DError.isInstance(error) ? error.code : String(error));

describe('avMnist', () => {
  it.each(['train', 'test'] as const)('gives what the released loader gives, %s', async (split) => {
    const expected = golden.splits[split];
    const dataset = await avMnist({ root: good, split, validationRows: 0 });
    expect(dataset.size).toBe(expected.count);
    await expectKnownBeforeReading(dataset);
    expect(dataset.shapes).toEqual({ audio: [112, 112, 1], image: [28, 28, 1] });
    expect(dataset.classNames).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    const samples = await allSamples(dataset);
    expect(samples.map(({ label }) => label)).toEqual(expected.labels);
    expectGolden(Float32Array.from(samples.flatMap(({ inputs }) => [...inputs.image])), expected.images_all);
    for (const { index, label, image, audio } of expected.samples) {
      const sample = samples[index] as Sample<'audio' | 'image'>;
      expect(sample.id).toBe(`avmnist/${split}/${index}`);
      expect(sample.label).toBe(label);
      expectGolden(sample.inputs.image, image);
      expectGolden(sample.inputs.audio, audio);
    }
  });

  it.each(golden.variants.map(({ file, replaces }) => [file, replaces] as const))(
    'reads %s alike',
    async (file, replaces) => {
      const root = copy();
      cpSync(join(fixtures, file), join(root, replaces.replace('avmnist/', '')));
      const reference = await allSamples(await avMnist({ root: good, split: 'test' }));
      const samples = await allSamples(await avMnist({ root, split: 'test' }));
      samples.forEach((sample, i) => {
        const { label, inputs } = reference[i] as Sample<'audio' | 'image'>;
        expect(sample.label).toBe(label);
        expectClose(sample.inputs.image, inputs.image);
        expectClose(sample.inputs.audio, inputs.audio);
      });
    },
  );

  it('takes the last rows of the train files for validation', async () => {
    const train = await allSamples(await avMnist({ root: good, split: 'train', validationRows: 6 }));
    const validation = await allSamples(
      await avMnist({ root: good, split: 'validation', validationRows: 6 }),
    );
    expect([...train, ...validation].map(({ label }) => label)).toEqual(golden.splits.train.labels);
    expect(train).toHaveLength(14);
    expect(validation[0]?.id).toBe('avmnist/train/14');
  });

  it('finds the files below a folder avmnist too', async () => {
    const dataset = await avMnist({ root: fixtures, split: 'test' });
    expect(dataset.size).toBe(10);
    await dataset.close();
  });

  it('keeps fresh arrays per sample', async () => {
    const dataset = await avMnist({ root: good, split: 'test' });
    const first = await dataset.sample(0);
    first.inputs.image.fill(7);
    expect((await dataset.sample(0)).inputs.image[0]).not.toBe(7);
    await dataset.close();
    await expect(dataset.sample(0)).rejects.toThrow(/closed/);
  });

  it('is typed by its modalities', async () => {
    const dataset = await avMnist({ root: good, split: 'test' });
    expectTypeOf(dataset).toEqualTypeOf<MultimodalDataset<'audio' | 'image'>>();
    // @ts-expect-error There is no such modality.
    expect(dataset.shapes.video).toBeUndefined();
    await dataset.close();
  });

  it.each([
    [{ split: 'validation', validationRows: 0 }, /no validation split/],
    [{ split: 'train', validationRows: 20 }, /only 20 rows/],
    [{ split: 'train' }, /`validationRows` is 5000.*only 20 rows/],
    [{ split: 'train', validationRows: -1 }, /`validationRows` is -1; it must be at least 0/],
    [{ split: 'train', validationRows: 1.5 }, /whole number/],
    [{ split: 'val' as Split }, /"train", "validation", "test"/],
  ] as const)('refuses %o', async (options, message) => {
    const error: unknown = await avMnist({ root: good, ...options }).catch((reason: unknown) => reason);
    expect(code(error)).toBe('G2D_OPTION');
    expect(String(error)).toMatch(message);
  });

  it('refuses samples that do not exist', async () => {
    const dataset = await avMnist({ root: good, split: 'test' });
    await expect(dataset.sample(10)).rejects.toThrow(/no sample 10 in the test split of 10/);
    await expect(dataset.sample(0.5)).rejects.toThrow(/no sample 0.5/);
    await dataset.close();
  });

  it('says which files are missing and how to get them', async () => {
    const error: unknown = await avMnist({ root: folder, split: 'test' }).catch((reason: unknown) => reason);
    expect(code(error)).toBe('G2D_DATASET_NOT_FOUND');
    expect(String(error)).toMatch(/image\/test_data\.npy, audio\/test_data\.npy, test_labels\.npy/);
    expect(String(error)).toMatch(/MultiBench/);
  });

  it('refuses audio that is not pictures, empty files and infinite values', async () => {
    const root = copy();
    const audio = join(root, 'audio/test_data.npy');
    writeNpy(audio, new Uint8Array(40), [10, 4]);
    await expect(avMnist({ root, split: 'test' })).rejects.toThrow(/test_data\.npy: shape \[10, 4\]/);
    writeNpy(audio, new Uint8Array(0), [0, 2, 2]);
    await expect(avMnist({ root, split: 'test' })).rejects.toThrow(/shape \[0, 2, 2\]/);
    writeNpy(audio, new Float32Array(40).fill(Infinity, 8, 9), [10, 2, 2]);
    const dataset = await avMnist({ root, split: 'test' });
    await expect(dataset.sample(2)).rejects.toThrow(/row 2 holds Infinity at column 0/);
    await dataset.close();
  });
});

interface BrokenCase {
  readonly id: string;
  readonly ops: readonly {
    readonly op: string;
    readonly path: string;
    readonly from?: string;
    readonly bytes?: number;
    readonly offset?: number;
    readonly base64?: string;
  }[];
  readonly open?: { readonly split: Split };
  readonly read?: { readonly split: Split; readonly index: number };
  readonly expect: 'error' | 'same-as-good';
  readonly mentions?: readonly string[];
}

describe('avMnist with damaged files', () => {
  const { cases } = JSON.parse(readFileSync(join(fixtures, 'broken.json'), 'utf8')) as {
    readonly cases: readonly BrokenCase[];
  };

  const damaged = ({ ops }: BrokenCase): string => {
    const root = copy();
    for (const operation of ops) damage(root, operation);
    return root;
  };
  const named = (expectation: BrokenCase['expect']) =>
    cases.filter((broken) => broken.expect === expectation).map((broken) => [broken.id, broken] as const);

  it.each(named('error'))('refuses %s', async (_, broken) => {
    const root = damaged(broken);
    // What is wrong in a header or the labels must be found at opening, not in the middle of a training.
    const dataset = avMnist({ root, split: (broken.open ?? broken.read)?.split as Split });
    const failing = broken.read === undefined ? dataset : (await dataset).sample(broken.read.index);
    const error: unknown = await failing.catch((reason: unknown) => reason);
    expect(G2DError.isInstance(error)).toBe(true);
    for (const mention of broken.mentions ?? []) {
      expect(String(error).toLowerCase()).toContain(mention.toLowerCase());
    }
  });

  it.each(named('same-as-good'))('reads %s alike', async (_, broken) => {
    const reference = await allSamples(await avMnist({ root: good, split: 'test' }));
    expect(await allSamples(await avMnist({ root: damaged(broken), split: 'test' }))).toEqual(reference);
  });
});

function damage(
  root: string,
  { op, path, from = '', bytes = 0, offset = 0, base64 = '' }: BrokenCase['ops'][number],
) {
  const target = join(root, path);
  if (op === 'copy') {
    mkdirSync(dirname(target), { recursive: true });
    cpSync(join(fixtures, from), target);
  } else if (op === 'delete') rmSync(target, { recursive: true });
  else if (op === 'truncate') truncateSync(target, bytes);
  else if (op === 'set-bytes') {
    const content = readFileSync(target);
    content.set(Buffer.from(base64, 'base64'), offset);
    writeFileSync(target, content);
  } else throw new Error(`unknown operation ${op}`);
}

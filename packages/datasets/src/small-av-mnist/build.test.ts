import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openNpy } from '@g2d/formats/node';
import { G2DError, type Split } from '@g2d/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { avMnist } from '../av-mnist.js';
import { buildSmallAvMnist, type BuiltSmallAvMnist } from './build.js';
import type { SmallAvMnistPair } from './pairs.js';
import { TAKES } from './recipe.js';
import { smallAvMnistSound, type PairIndex } from './sound.js';

const data = fileURLToPath(new URL('../../../../data', import.meta.url));
const golden = JSON.parse(
  // Made by golden/small_av_mnist.py, an independent restatement in numpy.
  readFileSync(new URL('../../golden/small-av-mnist.json', import.meta.url), 'utf8'),
) as {
  readonly rows: readonly {
    readonly id: string;
    readonly label: number;
    readonly pair: Omit<SmallAvMnistPair, 'gain' | 'digit'>;
    readonly gain: number;
    readonly length: number;
    readonly everyHundredthSample: readonly number[];
    readonly everyHundredthPixel: readonly number[];
    readonly everySeventhBinAndFrame: readonly (readonly number[])[];
  }[];
};

const folder = mkdtempSync(join(tmpdir(), 'g2d-small-av-mnist-'));
const out = join(folder, 'set');
let built: BuiltSmallAvMnist;
let pairs: PairIndex;

const readPairs = (root: string): PairIndex =>
  JSON.parse(readFileSync(join(root, 'pairs.json'), 'utf8')) as PairIndex;
const splitsOf = (index: PairIndex): Readonly<Record<Split, readonly SmallAvMnistPair[]>> => ({
  train: index.train.slice(0, 1000),
  validation: index.train.slice(1000),
  test: index.test,
});

beforeAll(async () => {
  // Two at a time onto what an interrupted copy may have left, beside what a killed build has left.
  mkdirSync(join(out, 'image'), { recursive: true });
  writeFileSync(join(out, 'recipe.json'), '{"recipe": {"version": 0}, "files": {}}');
  const leftover = join(folder, '.set.building-1-00');
  mkdirSync(leftover);
  utimesSync(leftover, 1, 1);
  [built] = await Promise.all([
    buildSmallAvMnist({ sources: data, out }),
    buildSmallAvMnist({ sources: data, out }),
  ] as const);
  pairs = readPairs(out);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('buildSmallAvMnist', () => {
  it('writes a set that avMnist reads, and leaves nothing else behind', async () => {
    const sizes: number[] = [];
    for (const split of ['train', 'validation', 'test'] as const) {
      const dataset = await avMnist({ ...built, split });
      sizes.push(dataset.size);
      expect(dataset.shapes).toEqual({ audio: [56, 56, 1], image: [28, 28, 1] });
      await dataset.close();
    }
    expect(sizes).toEqual([1000, 1000, 2000]);
    expect(readdirSync(folder)).toEqual(['set']);
  });

  it.each(golden.rows)('agrees with numpy in $id', async (row) => {
    const [, file = '', index = ''] = row.id.split('/');
    const read = (name: string) => {
      const array = openNpy(join(out, name));
      const values = array.row(Number(index));
      array.close();
      return values;
    };
    const pair = pairs[file as 'train' | 'test'][Number(index)] as SmallAvMnistPair;
    expect(pair).toMatchObject(row.pair);
    expect(Math.abs(pair.gain / row.gain - 1)).toBeLessThan(1e-9);
    expect(Array.from(read(`${file}_labels.npy`))).toEqual([row.label]);
    const image = read(`image/${file}_data.npy`);
    row.everyHundredthPixel.forEach((value, k) => {
      expect(Math.abs((image[100 * k] as number) - value)).toBeLessThan(3e-5);
    });
    const audio = read(`audio/${file}_data.npy`);
    row.everySeventhBinAndFrame.forEach((levels, bin) =>
      levels.forEach((level, frame) => {
        // One level: rounding at the border of two.
        expect(Math.abs((audio[7 * bin * 56 + 7 * frame] as number) - level)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('shares no recording, noise clip or picture between splits', () => {
    const splits = splitsOf(pairs);
    const clips = Object.values(splits).map((rows) => new Set(rows.map(({ clip }) => clip)));
    expect(clips.map((set) => set.size)).toEqual([30, 10, 10]);
    expect(new Set(clips.flatMap((set) => [...set])).size).toBe(50);
    const pictures = [...splits.train, ...splits.validation].map(({ image }) => image);
    expect(new Set(pictures).size).toBe(2000);
    for (const split of ['train', 'validation', 'test'] as const) {
      const [first, last] = TAKES[split];
      for (const { recording, digit } of splits[split]) {
        const [spoken, , take] = recording.split('_').map(Number);
        expect(spoken).toBe(digit);
        expect(take).toBeGreaterThanOrEqual(first);
        expect(take).toBeLessThanOrEqual(last);
      }
    }
  });

  it('uses every recording once before any a second time', () => {
    const zeros = splitsOf(pairs)
      .test.filter(({ digit }) => digit === 0)
      .map(({ recording }) => recording);
    expect(new Set(zeros.slice(0, 30)).size).toBe(30);
    expect(new Set(zeros.slice(30, 60)).size).toBe(30);
    expect(zeros.slice(30, 60)).not.toEqual(zeros.slice(0, 30));
  });

  it('reuses a complete set and builds a damaged one again', async () => {
    const changed = (): number => statSync(join(out, 'recipe.json')).mtimeMs;
    const before = changed();
    const steps: number[] = [];
    await buildSmallAvMnist({ sources: data, out, onProgress: (done) => steps.push(done) });
    expect([changed(), steps.length]).toEqual([before, 0]);
    const copy = join(folder, 'copy');
    cpSync(out, copy, { recursive: true });
    truncateSync(join(copy, 'audio/test_data.npy'), 1000);
    await buildSmallAvMnist({ sources: data, out: copy, onProgress: (done) => steps.push(done) });
    expect(steps.at(-1)).toBe(1);
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    // The same bytes as the first time: recipe.json lists every file's hash.
    expect(readFileSync(join(copy, 'recipe.json'))).toEqual(readFileSync(join(out, 'recipe.json')));
    rmSync(copy, { recursive: true });
  });

  it('takes other pictures and pairs in the second draw, by another seed', async () => {
    const second = join(folder, 'second');
    await buildSmallAvMnist({ sources: data, out: second, draw: 'second', drawSeed: 3 });
    const splits = splitsOf(readPairs(second));
    expect(Object.values(splits).map((rows) => [rows[0]?.image, rows.at(-1)?.image])).toEqual([
      [4000, 4999],
      [15000, 15999],
      [4000, 5999],
    ]);
    expect(splits.train.map(({ offset }) => offset)).not.toEqual(
      pairs.train.slice(0, 1000).map(({ offset }) => offset),
    );
    rmSync(second, { recursive: true });
  });

  it('never replaces a folder that holds anything else', async () => {
    const foreign = join(folder, 'foreign');
    mkdirSync(foreign);
    writeFileSync(join(foreign, 'thesis.txt'), '');
    const error: unknown = await buildSmallAvMnist({ sources: data, out: foreign }).catch(
      (reason: unknown) => reason,
    );
    expect(G2DError.isInstance(error) && error.code).toBe('G2D_OPTION');
    expect(String(error)).toMatch(/thesis\.txt/);
    expect(existsSync(join(foreign, 'thesis.txt'))).toBe(true);
    rmSync(foreign, { recursive: true });
  });

  it('says which sources are missing', async () => {
    await expect(buildSmallAvMnist({ sources: folder, out })).rejects.toThrow(
      /missing fsdd\.zip, esc10\.zip, mnist/,
    );
  });

  it.each([
    [{ draw: 'third' as 'main' }, /"main" or "second"/],
    [{ drawSeed: 0.5 }, /whole number/],
  ])('refuses %o', async (options, message) => {
    await expect(buildSmallAvMnist({ sources: data, out, ...options })).rejects.toThrow(message);
  });
});

describe('smallAvMnistSound', () => {
  it.each(golden.rows)('gives the sound behind $id', async ({ id, length, everyHundredthSample }) => {
    const { samples, sampleRate, pair } = await smallAvMnistSound({ sources: data, root: out, id });
    expect([samples.length, sampleRate, pair.digit]).toEqual([length, 8000, Number(pair.recording[0])]);
    everyHundredthSample.forEach((value, k) => expect(samples[100 * k]).toBeCloseTo(value, 6));
  });

  it('refuses ids that do not exist', async () => {
    for (const id of ['avmnist/train/2000', 'avmnist/validation/0', '3']) {
      await expect(smallAvMnistSound({ sources: data, root: out, id })).rejects.toThrow(/has no sample/);
    }
    await expect(smallAvMnistSound({ sources: data, root: folder, id: 'avmnist/test/0' })).rejects.toThrow(
      /Build it/,
    );
  });
});

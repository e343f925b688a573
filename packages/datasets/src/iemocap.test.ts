import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { openNpy, writeNpy } from '@g2d/formats/node';
import { loadTensorFlow } from '@g2d/native';
import { G2DError } from '@g2d/core';
import { randomStream } from '@g2d/tensor-ops';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectKnownBeforeReading } from '../test/known-before-reading.js';
import { batches } from './batches.js';
import type { Split } from '@g2d/core';
import { checkIemocap } from './iemocap/check.js';
import type { IemocapModality, IemocapOptions } from './iemocap/options.js';
import { iemocap } from './iemocap.js';

// Made with the loaders of MMIN and GCNet; the NOTICE.txt of both folders says what the data are.
const fixture = (folder: string): string =>
  fileURLToPath(new URL(`../../../test/fixtures/${folder}`, import.meta.url));
const PLACES = ['datasets/iemocap', 'io/iemocap', 'io/urfunny'].map(fixture);
const file = (name: string): string =>
  PLACES.map((place) => join(place, name)).find((path) => existsSync(path)) ?? name;
const folder = mkdtempSync(join(tmpdir(), 'g2d-iemocap-'));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => loadTensorFlow({ backend: 'cpu', quiet: true }));

let copies = 0;
/** A tree as it is on disk, to be damaged. */
function copy(form: 'mmin' | 'gcnet'): string {
  const root = join(folder, `copy-${copies++}`);
  for (const place of PLACES) {
    if (existsSync(join(place, form))) cpSync(join(place, form), root, { recursive: true });
  }
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
interface MminSample {
  readonly utterance: string;
  readonly label: number;
  readonly frames: number;
  readonly audio_trn: GoldenArray;
  readonly audio_utt: GoldenArray;
  readonly visual: GoldenArray;
  readonly text: GoldenArray;
}
interface MminPart {
  readonly count: number;
  readonly utterances: readonly string[];
  readonly labels: readonly number[];
  readonly samples: readonly MminSample[];
  readonly batch: {
    readonly lengths: readonly number[];
    readonly audio: GoldenArray;
    readonly visual_shape: readonly number[];
    readonly text_shape: readonly number[];
  };
}
type Vector = GoldenArray | 'zeros';
type GcnetSample = Readonly<Record<`${IemocapModality}_${'F' | 'M'}`, Vector>> & {
  readonly utterance: string;
  readonly speaker: 'F' | 'M';
  readonly label: number;
};
const golden = JSON.parse(readFileSync(file('expected.json'), 'utf8')) as {
  readonly mmin: {
    readonly folds: Readonly<Record<'1' | '2', Readonly<Record<'trn' | 'val' | 'tst', MminPart>>>>;
  };
  readonly gcnet: {
    readonly label_files: readonly string[];
    readonly classes: readonly string[];
    readonly utterances: readonly GcnetSample[];
    readonly folds: readonly {
      readonly test_session: number;
      readonly test: readonly string[];
      readonly train: readonly string[];
    }[];
  };
};
const MODALITIES = ['audio', 'visual', 'text'] as const;
const SPLITS = [
  ['train', 'trn'],
  ['validation', 'val'],
  ['test', 'tst'],
] as const;

/** The largest difference, relative to max(1, |value|). */
const far = (actual: ArrayLike<number>, pairs: Iterable<readonly [number, number]>): number =>
  [...pairs].reduce(
    (worst, [at, value]) =>
      Math.max(worst, Math.abs((actual[at] as number) - value) / Math.max(1, Math.abs(value))),
    0,
  );

function expectGolden(actual: ArrayLike<number>, expected: GoldenArray, tolerance: number): void {
  expect(actual.length).toBe(expected.shape.reduce((product, axis) => product * axis, 1));
  expect(far(actual, expected.positions)).toBeLessThanOrEqual(tolerance);
  const values = Array.from(actual);
  const l2 = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0));
  expect(Math.abs(l2 - expected.l2)).toBeLessThanOrEqual(1e-6 * expected.l2);
  expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(expected.mean, 5);
  expect(Math.max(...values)).toBeCloseTo(expected.max, tolerance === 0 ? 10 : 4);
  expect(Math.min(...values)).toBeCloseTo(expected.min, tolerance === 0 ? 10 : 4);
  if (expected.file === undefined) return;
  const whole = openNpy(file(expected.file));
  expect(far(actual, whole.all().entries())).toBeLessThanOrEqual(tolerance);
  whole.close();
}

/** Who has no features has zeros. */
const zerosOf = (width: number): GoldenArray => ({
  shape: [width],
  mean: 0,
  l2: 0,
  min: 0,
  max: 0,
  positions: Array.from({ length: width }, (_, at) => [at, 0] as const),
});

const mminRoot = copy('mmin');
const mmin = (options: Partial<IemocapOptions> = {}) =>
  iemocap({ root: mminRoot, split: 'train', ...options });

describe('iemocap, MMIN’s features', () => {
  const each = ([1, 2] as const).flatMap((fold) =>
    SPLITS.map(([split, part]) => [fold, split, part] as const),
  );

  it.each(each)('gives what the reference makes of fold %i, %s', async (fold, split, part) => {
    const expected = golden.mmin.folds[fold][part];
    await expectKnownBeforeReading(await mmin({ fold, split }));
    const [byFold, byUtterance] = [
      await mmin({ fold, split }),
      await mmin({ form: 'mmin', fold, split, audioNormalization: 'utterance' }),
    ];
    expect(byFold).toMatchObject({
      name: 'iemocap-mmin',
      split,
      task: 'classification',
      modalities: MODALITIES,
      shapes: { audio: [null, 130], visual: [50, 342], text: [22, 1024] },
      ids: expected.utterances,
      size: expected.count,
      classNames: ['0', '1', '2', '3'],
    });
    for (const [index, sample] of expected.samples.entries()) {
      const { id, label, inputs } = await byFold.sample(index);
      expect([id, label, inputs.audio.length]).toEqual([sample.utterance, sample.label, sample.frames * 130]);
      expectGolden(inputs.audio, sample.audio_trn, 1e-4);
      expectGolden(inputs.visual, sample.visual, 0);
      expectGolden(inputs.text, sample.text, 0);
      const { audio } = (await byUtterance.sample(index, { modalities: ['audio'] })).inputs;
      expectGolden(audio, sample.audio_utt, 1e-4);
    }
    for await (const batch of batches(byFold, { batchSize: 8 })) {
      expectGolden(batch.inputs.audio.dataSync(), expected.batch.audio, 1e-4);
      expect(batch.inputs.visual.shape).toEqual(expected.batch.visual_shape);
      expect(batch.inputs.text.shape).toEqual(expected.batch.text_shape);
      tf.dispose(batch);
    }
    await byFold.close();
    await byUtterance.close();
  });

  it('gives features as stored on demand, in fresh arrays, of what is asked for', async () => {
    const dataset = await mmin({ audioNormalization: 'none' });
    const normalized = await mmin();
    const { inputs } = await dataset.sample(0, { modalities: ['audio'] });
    expect(Object.keys(inputs)).toEqual(['audio']);
    expect(inputs.audio).not.toEqual((await normalized.sample(0)).inputs.audio);
    inputs.audio.fill(7);
    expect((await dataset.sample(0)).inputs.audio[0]).not.toBe(7);
    expect((await dataset.sample(0, { modalities: [] })).inputs).toEqual({});
    await expect(dataset.sample(4)).rejects.toThrow(/no sample 4 in the train split of 4/);
    await dataset.close();
    await expect(dataset.sample(0)).rejects.toThrow(/closed/);
    await normalized.close();
  });

  it('does without the statistics where they are not used', async () => {
    const root = copy('mmin');
    rmSync(join(root, 'A/comparE_mean_std.h5'));
    await (await mmin({ root, audioNormalization: 'utterance' })).close();
    await expect(mmin({ root })).rejects.toThrow(/comparE_mean_std\.h5.*AIM3-RUC\/MMIN.*release form/s);
  });

  it('gives the same batches with and without a worker', async () => {
    const collect = async (workers: number) => {
      const dataset = await mmin();
      const all: unknown[] = [];
      for await (const batch of batches(dataset, { batchSize: 3, shuffle: true, workers })) {
        const { audio, visual, text } = batch.inputs;
        const sums = [visual, text].map((tensor) => tensor.sum().dataSync()[0]);
        all.push([batch.ids, batch.labels.arraySync(), audio.arraySync(), ...sums]);
        tf.dispose(batch);
      }
      await dataset.close();
      return all;
    };
    expect(await collect(1)).toEqual(await collect(0));
  });

  it.each<[Partial<IemocapOptions>, RegExp]>([
    [{ fold: 0 }, /`fold` is 0; it must be at least 1/],
    [{ split: 'trn' as Split }, /`split` is "trn"/],
    [{ audioNormalization: 'trn' as 'fold' }, /`audioNormalization` is "trn"/],
    [{ form: 'cmu' as 'mmin' }, /`form` is "cmu"; it must be "mmin", "gcnet", "mla"/],
  ])('refuses %o', async (options, message) => {
    await expect(mmin(options)).rejects.toThrow(message);
  });
});

const gcnetRoot = copy('gcnet');
const gcnet = (options: Partial<IemocapOptions> = {}) =>
  iemocap({ form: 'gcnet', root: gcnetRoot, split: 'train', ...options });

describe('iemocap, GCNet’s features', () => {
  it.each(golden.gcnet.label_files)('has the folds of the reference, by %s', async (labelFile) => {
    for (const { test_session: fold, test, train } of golden.gcnet.folds) {
      const options = { fold, labelFile, official: true };
      expect((await gcnet({ ...options, split: 'train' })).ids).toEqual(train);
      expect((await gcnet({ ...options, split: 'test' })).ids).toEqual(test);
    }
  });

  it('gives the vectors of both speakers that the reference has', async () => {
    let seen = 0;
    for (const fold of [1, 2, 3, 4, 5]) {
      const both = await gcnet({ fold, split: 'test', speakers: 'both' });
      await expectKnownBeforeReading(both);
      const own = await gcnet({ fold, split: 'test' });
      expect(both.shapes).toEqual({ audio: [2, 512], visual: [2, 1024], text: [2, 1024] });
      expect(own.shapes).toEqual({ audio: [512], visual: [1024], text: [1024] });
      expect(own.classNames).toEqual(golden.gcnet.classes);
      for (let index = 0; index < both.size; index++) {
        const { id, label, inputs } = await both.sample(index);
        const expected = golden.gcnet.utterances.find(({ utterance }) => utterance === id) as GcnetSample;
        expect(label).toBe(expected.label);
        const alone = (await own.sample(index)).inputs;
        for (const modality of MODALITIES) {
          const width = inputs[modality].length / 2;
          const vectors = { F: inputs[modality].slice(0, width), M: inputs[modality].slice(width) };
          for (const speaker of ['F', 'M'] as const) {
            const vector = expected[`${modality}_${speaker}`];
            expectGolden(vectors[speaker], vector === 'zeros' ? zerosOf(width) : vector, 1e-6);
          }
          expect(alone[modality]).toEqual(vectors[expected.speaker]);
          seen++;
        }
      }
    }
    expect(seen).toBe(3 * golden.gcnet.utterances.length);
  });

  it('holds out the session before the one that tests, or some dialogues', async () => {
    const sessions = async (options: Partial<IemocapOptions>) => [
      ...new Set((await gcnet(options)).ids.map((id) => Number(id[4]))),
    ];
    expect(await sessions({ split: 'test' })).toEqual([5]);
    expect(await sessions({ split: 'validation' })).toEqual([4]);
    expect(await sessions({ split: 'train' })).toEqual([1, 2, 3]);
    expect(await sessions({ split: 'validation', fold: 1 })).toEqual([5]);
    const share = { validation: 0.25, seed: 3 } as const;
    const [train, validation] = [
      await gcnet({ ...share, split: 'train' }),
      await gcnet({ ...share, split: 'validation' }),
    ];
    const dialogues = (ids: readonly string[]) => new Set(ids.map((id) => id.slice(0, id.lastIndexOf('_'))));
    expect([...dialogues(train.ids)].filter((dialogue) => dialogues(validation.ids).has(dialogue))).toEqual(
      [],
    );
    expect(train.size + validation.size).toBe(golden.gcnet.folds[4]?.train.length);
    expect((await gcnet({ ...share, split: 'validation' })).ids).toEqual(validation.ids);
  });

  it('touches only what is asked for', async () => {
    const root = copy('gcnet');
    const dataset = await gcnet({ root });
    rmSync(join(root, 'features/manet_UTT'), { recursive: true });
    expect(Object.keys((await dataset.sample(0, { modalities: ['text', 'audio'] })).inputs)).toEqual([
      'text',
      'audio',
    ]);
    await expect(dataset.sample(0)).rejects.toThrow(/Ses01F_impro01_F000: is not there any more/);
  });

  it('gives the same batches with and without a worker', async () => {
    const collect = async (workers: number) => {
      const all: unknown[] = [];
      for await (const batch of batches(await gcnet(), { batchSize: 3, shuffle: true, workers })) {
        const { audio, visual, text } = batch.inputs;
        all.push([batch.ids, ...[batch.labels, audio, visual, text].map((tensor) => tensor.arraySync())]);
        tf.dispose(batch);
      }
      return all;
    };
    expect(await collect(1)).toEqual(await collect(0));
  });

  it.each<[Partial<IemocapOptions>, RegExp]>([
    [{ fold: 6 }, /`fold` is 6/],
    [{ classes: 5 as 6 }, /`classes` is 5; it must be 4, or 6/],
    [{ classes: 6 }, /IEMOCAP_features_raw_6way\.pkl.*zeroQiaoba\/GCNet/s],
    [{ official: true, split: 'validation' }, /no validation split/],
    [{ official: true, validation: 0.1 }, /`official` has no validation split/],
    [{ validation: 1 }, /`validation` is 1/],
    [{ speakers: 'other' as 'own' }, /`speakers` is "other"/],
  ])('refuses %o', async (options, message) => {
    await expect(gcnet(options)).rejects.toThrow(message);
  });
});

const EMOTIONS = ['Angry', 'Happy', 'Neutral', 'Sad'] as const;
const UTTERANCES = {
  train: [
    'Ses04F_script02_2_F034',
    'Ses05M_script01_1_M004',
    'Ses02F_impro06_F011',
    'Ses01M_impro01_M000',
    'Ses03F_impro02_M007',
  ],
  test: ['Ses01F_impro01_F000', 'Ses05F_impro03_M001', 'Ses02M_script01_1_M000'],
} as const;
/** Level of the only colour of a picture. */
const colour = (place: number): number => 10 * place + 5;

/** The layout that MLA's scripts write. */
async function mlaTree(): Promise<string> {
  const root = join(folder, `mla-${copies++}`);
  for (const part of ['train', 'test'] as const) {
    const lines: string[] = [];
    for (const [i, id] of UTTERANCES[part].entries()) {
      lines.push(
        `${id}.mp4 [split|sign] ${i === 0 ? '' : 'Well, yes.  I [laughs] see.'} [split|sign] ${EMOTIONS[i % 4] as string}`,
      );
      const sound = Float32Array.from({ length: 1024 * 128 }, (_, at) => i + at / 1000);
      writeNpy(join(root, 'audio', `${part}_fbank`, `${id}.npy`), sound, [1024, 128]);
      const text = join(root, 'text_token', `${part}_token`);
      writeNpy(
        join(text, `${id}_token.npy`),
        Int32Array.from({ length: 256 }, (_, at) => (at < 3 ? 2000 + i : 0)),
        [1, 256],
      );
      writeNpy(
        join(text, `${id}_pm.npy`),
        Float32Array.from({ length: 256 }, (_, at) => (at < 3 ? 0 : 1)),
        [1, 256],
      );
      const faces = join(root, 'visual', `${part}_imgs`, id);
      mkdirSync(faces, { recursive: true });
      writeFileSync(join(faces, '.DS_Store'), '');
      // Four pictures of one colour each: the third is taken.
      for (let n = 0; n < 4; n++) {
        const background = { r: colour(n), g: colour(n), b: colour(n) };
        const picture = sharp({ create: { width: 256, height: 256, channels: 3, background } });
        writeFileSync(join(faces, `0000${n}.png`), await picture.png().toBuffer());
      }
    }
    writeFileSync(join(root, `my_${part}_iemo.txt`), lines.join(part === 'train' ? '\n' : '\r\n') + '\n');
  }
  return root;
}

describe('iemocap, MLA’s files', () => {
  let root = '';
  beforeAll(async () => {
    root = await mlaTree();
  });
  const mla = (options: Partial<IemocapOptions> = {}) =>
    iemocap({ form: 'mla', root, split: 'train', official: true, ...options });

  it('gives sound, the middle face, and token ids with their padding', async () => {
    const dataset = await mla();
    expect(dataset).toMatchObject({
      name: 'iemocap-mla',
      shapes: { audio: [1024, 128, 1], visual: [256, 256, 3], text: [256, 2] },
      classNames: EMOTIONS,
      ids: UTTERANCES.train,
      augmented: ['visual'],
      dropped: {},
    });
    await expectKnownBeforeReading(dataset);
    const { label, inputs } = await dataset.sample(1);
    expect(label).toBe(1);
    expect([inputs.audio.length, inputs.audio[0], inputs.audio[1000]]).toEqual([1024 * 128, 1, 2]);
    expect([...inputs.text.subarray(0, 10)]).toEqual([2001, 0, 2001, 0, 2001, 0, 0, 1, 0, 1]);
    expect(inputs.text.length).toBe(512);
    const mean = [0.485, 0.456, 0.406];
    const std = [0.229, 0.224, 0.225];
    expect(inputs.visual.length).toBe(256 * 256 * 3);
    for (const at of [0, 1, 2, 196_607]) {
      const expected = (colour(2) / 255 - (mean[at % 3] as number)) / (std[at % 3] as number);
      expect(inputs.visual[at]).toBeCloseTo(expected, 5);
    }
  });

  it('crops and flips for training only, each modality on its own', async () => {
    const dataset = await mla({ split: 'test' });
    const split = join(root, 'visual/test_imgs', UTTERANCES.test[0], '00002.png');
    const before = readFileSync(split);
    // Left half black, right half white.
    const pixels = Buffer.from(Array.from({ length: 256 * 256 * 3 }, (_, at) => (at % 768 < 384 ? 0 : 255)));
    writeFileSync(
      split,
      await sharp(pixels, { raw: { width: 256, height: 256, channels: 3 } })
        .png()
        .toBuffer(),
    );
    const random = (seed: number) => ({ random: () => randomStream(seed), modalities: ['visual'] as const });
    const of = async (options: object) => (await dataset.sample(0, options)).inputs.visual;
    expect(await of(random(1))).toEqual(await of(random(1)));
    const plain = await of({});
    const others = await Promise.all([1, 2, 3].map((seed) => of(random(seed))));
    expect(others.some((visual) => visual.some((value, at) => value !== plain[at]))).toBe(true);
    writeFileSync(split, before);
  });

  it('divides by the lists, a tenth of the utterances for validation', async () => {
    expect((await mla({ split: 'test' })).ids).toEqual(UTTERANCES.test);
    const sane = { official: false, validation: 0.4, seed: 1 } as const;
    const [train, validation] = [await mla(sane), await mla({ ...sane, split: 'validation' })];
    expect([train.size, validation.size]).toEqual([3, 2]);
    expect([...train.ids, ...validation.ids].sort()).toEqual([...UTTERANCES.train].sort());
    await expect(mla({ split: 'validation' })).rejects.toThrow(/no validation split/);
  });

  it('divides by session, each file where its list put it', async () => {
    const ids = async (split: Split, fold: number) =>
      (await mla({ official: false, splits: 'session', fold, split })).ids;
    expect(await ids('test', 5)).toEqual(['Ses05M_script01_1_M004', 'Ses05F_impro03_M001']);
    expect(await ids('validation', 5)).toEqual(['Ses04F_script02_2_F034']);
    expect((await ids('train', 5)).map((id) => id[4]).sort()).toEqual(['1', '1', '2', '2', '3']);
    const dataset = await mla({ splits: 'session', fold: 5, split: 'test' });
    expect((await dataset.sample(1)).inputs.text[0]).toBe(2001);
  });

  it('names what it leaves out', async () => {
    const damaged = await mlaTree();
    rmSync(join(damaged, 'audio/train_fbank', `${UTTERANCES.train[0]}.npy`));
    rmSync(join(damaged, 'text_token/train_token', `${UTTERANCES.train[1]}_token.npy`));
    rmSync(join(damaged, 'text_token/train_token', `${UTTERANCES.train[2]}_pm.npy`));
    const faces = join(damaged, 'visual/train_imgs', UTTERANCES.train[3]);
    for (const name of readdirSync(faces)) if (name.endsWith('.png')) rmSync(join(faces, name));
    const dataset = await mla({ root: damaged });
    expect(dataset.ids).toEqual([UTTERANCES.train[4]]);
    expect(dataset.dropped).toEqual({
      'sound missing': [UTTERANCES.train[0]],
      'token ids missing': [UTTERANCES.train[1]],
      'padding mask missing': [UTTERANCES.train[2]],
      'no pictures': [UTTERANCES.train[3]],
    });
    const check = await checkIemocap(damaged, { form: 'mla' });
    expect(check.found).toMatchObject({ train: 5, 'train Angry': 2, test: 3 });
    expect(check.problems).toContainEqual({ reason: 'sound missing (train)', ids: [UTTERANCES.train[0]] });
    rmSync(join(damaged, 'audio'), { recursive: true });
    await expect(mla({ root: damaged })).rejects.toThrow(/sound missing for 5 utterances/);
  });

  it('refuses files that do not hold what they should, with their names', async () => {
    const damaged = await mlaTree();
    const id = UTTERANCES.train[0];
    const at = (name: string): string => join(damaged, name);
    const dataset = await mla({ root: damaged });
    const failing = async (modality: IemocapModality): Promise<string> =>
      String(await dataset.sample(0, { modalities: [modality] }).catch((error: unknown) => error));
    writeNpy(at(`audio/train_fbank/${id}.npy`), new Float32Array(1024 * 127), [1024, 127]);
    expect(await failing('audio')).toMatch(/F034\.npy: has the shape \[1024, 127\]; expected \[1024, 128\]/);
    writeNpy(at(`audio/train_fbank/${id}.npy`), new Float32Array(1024 * 128).fill(NaN), [1024, 128]);
    expect(await failing('audio')).toMatch(/Ses04F_script02_2_F034 holds NaN at position 0/);
    writeNpy(at(`text_token/train_token/${id}_token.npy`), new Float32Array(256).fill(0.5), [1, 256]);
    expect(await failing('text')).toMatch(/has the token 0\.5 at position 0/);
    writeNpy(at(`text_token/train_token/${id}_token.npy`), new Int32Array(256), [256]);
    writeNpy(at(`text_token/train_token/${id}_pm.npy`), new Float32Array(256).fill(2), [1, 256]);
    expect(await failing('text')).toMatch(/_pm\.npy: .* has 2 at position 0/);
    truncateSync(at(`visual/train_imgs/${id}/00002.png`), 60);
    expect(await failing('visual')).toMatch(/00002\.png/);
    expect((await checkIemocap(damaged, { form: 'mla' })).problems[0]?.reason).toMatch(/broken/);
  });

  it.each([
    ['Ses01F_impro01_F000.mp4 [split|sign] Hm. [split|sign] Bored', /line 1 is not/],
    ['../../etc/passwd.mp4 [split|sign] Hm. [split|sign] Sad', /is no utterance of IEMOCAP/],
    [
      'Ses01F_impro01_F000.mp4 [split|sign] a [split|sign] Sad\nSes01F_impro01_F000.mp4 [split|sign] b [split|sign] Sad',
      /lists Ses01F_impro01_F000 twice/,
    ],
    ['\n', /lists no utterances/],
  ])('refuses the list %j', async (text, message) => {
    const listFolder = join(folder, `lists-${copies++}`);
    mkdirSync(listFolder);
    writeFileSync(join(listFolder, 'my_train_iemo.txt'), text);
    await expect(mla({ listFolder })).rejects.toThrow(message);
  });

  it.each<[Partial<IemocapOptions>, RegExp]>([
    [{ splits: 'all' as 'lists' }, /`splits` is "all"/],
    [{ official: false, validation: 'session' }, /`validation` "session" needs `splits: 'session'`/],
    [{ fold: 2 }, /`fold` "2" needs `splits: 'session'`/],
    [{ listFolder: 'nowhere' }, /my_train_iemo\.txt.*Cecile-hi/s],
  ])('refuses %o', async (options, message) => {
    await expect(mla(options)).rejects.toThrow(message);
  });
});

interface BrokenCase {
  readonly id: string;
  readonly base: 'mmin' | 'gcnet';
  readonly ops: readonly {
    readonly op: string;
    readonly path: string;
    readonly from?: string;
    readonly to?: string;
    readonly bytes?: number;
    readonly text?: string;
  }[];
  readonly open?: { readonly fold: number; readonly set: 'trn' };
  readonly expect: 'error' | 'same-as-good';
  readonly mentions?: readonly string[];
  readonly must_not_exist?: string;
}
const { cases } = JSON.parse(readFileSync(file('broken.json'), 'utf8')) as {
  readonly cases: readonly BrokenCase[];
};
const named = (expectation: BrokenCase['expect']) =>
  cases.filter((broken) => broken.expect === expectation).map((broken) => [broken.id, broken] as const);

function damaged({ base, ops }: BrokenCase): string {
  const root = copy(base);
  for (const { op, path, from = '', to = '', bytes = 0, text = '' } of ops) {
    const target = join(root, path);
    if (op === 'copy') cpSync(file(from), target);
    else if (op === 'delete') rmSync(target);
    else if (op === 'rename') renameSync(target, join(root, to));
    else if (op === 'truncate') truncateSync(target, bytes);
    else if (op === 'write-text') writeFileSync(target, text);
    else throw new Error(`unknown operation ${op}`);
  }
  return root;
}
const optionsOf = (root: string, { base, open }: BrokenCase): IemocapOptions =>
  base === 'gcnet'
    ? { form: 'gcnet', root, split: 'train' }
    : { root, split: 'train', fold: open?.fold ?? 1 };

describe('iemocap with damaged files', () => {
  it('knows every kind of case', () => expect(cases.map((broken) => broken.expect)).toHaveLength(23));

  it.each(named('error'))('refuses %s', async (_, broken) => {
    const root = damaged(broken);
    const read = async (): Promise<void> => {
      const dataset = await iemocap(optionsOf(root, broken));
      for (let index = 0; index < dataset.size; index++) await dataset.sample(index);
      await dataset.close();
    };
    const error: unknown = await read().catch((reason: unknown) => reason);
    expect(G2DError.isInstance(error)).toBe(true);
    // The overview does not stop at it, but names it.
    const { problems, asPublished } = await checkIemocap(root, { form: broken.base });
    expect(asPublished).toBe(false);
    // A fold that does not exist is nothing of the folder.
    const overview =
      broken.ops.length === 0
        ? String(error)
        : problems.flatMap(({ reason, ids }) => ids.map((id) => `${reason}: ${id}`)).join('\n');
    for (const mention of broken.mentions ?? []) {
      expect(String(error).toLowerCase()).toContain(mention.toLowerCase());
      expect(overview.toLowerCase()).toContain(mention.toLowerCase());
    }
    if (broken.must_not_exist === undefined) return;
    for (const where of [root, process.cwd()])
      expect(readdirSync(where)).not.toContain(broken.must_not_exist);
  });

  it.each(named('same-as-good'))('takes it as it is meant: %s', async (_, broken) => {
    const root = damaged(broken);
    const [good, other] = [await mmin(), await iemocap(optionsOf(root, broken))];
    expect(other.ids).toEqual(good.ids);
    expect(await other.sample(0)).toEqual(await good.sample(0));
    await good.close();
    await other.close();
  });
});

describe('the label file of GCNet', () => {
  // Of Python's pickle: a = []; a.append(a); k = 'Ses01F_impro01'; dumps([{k: [a]}, {k: [0]}, {k: ['F']}, {}, {k}, set()], 2)
  it.each([
    [
      'an id',
      'gAJdcQAofXEBWA4AAABTZXMwMUZfaW1wcm8wMXECXXEDXXEEaARhYXN9cQVoAl1xBksAYXN9cQdoAl1xCFgBAAAARnEJYXN9cQpjX19idWlsdGluX18Kc2V0CnELXXEMaAJhhXENUnEOaAtdcQ+FcRBScRFlLg==',
      /dialogue Ses01F_impro01 has the id a list,/,
    ],
    // The same with ids {k: [k + '_F000']} and labels {k: [a]}.
    [
      'a label',
      'gAJdcQAofXEBWA4AAABTZXMwMUZfaW1wcm8wMXECXXEDWBMAAABTZXMwMUZfaW1wcm8wMV9GMDAwcQRhc31xBWgCXXEGXXEHaAdhYXN9cQhoAl1xCVgBAAAARnEKYXN9cQtjX19idWlsdGluX18Kc2V0CnEMXXENaAJhhXEOUnEPaAxdcRCFcRFScRJlLg==',
      /dialogue Ses01F_impro01 has the label a list /,
    ],
  ])('may have a list that holds itself as %s: it is refused by name', async (_, pickle, message) => {
    const root = copy('gcnet');
    writeFileSync(join(root, 'IEMOCAP_features_raw_4way.pkl'), Buffer.from(pickle, 'base64'));
    const error: unknown = await iemocap({ form: 'gcnet', root, split: 'test' }).catch(
      (reason: unknown) => reason,
    );
    expect(G2DError.isInstance(error)).toBe(true);
    expect(String(error)).toMatch(message);
  });
});

describe('checkIemocap', () => {
  it('counts utterances, sessions and classes; so small a set is not the published one', async () => {
    const steps: number[] = [];
    const check = await checkIemocap(gcnetRoot, { form: 'gcnet', onProgress: (done) => steps.push(done) });
    expect(check).toMatchObject({
      dataset: 'IEMOCAP (GCNet)',
      expected: { utterances: 5531, happy: 1636, 'session 5': 1241 },
      found: { utterances: 12, 'session 1': 2, 'session 2': 3, 'session 5': 3 },
      problems: [],
      asPublished: false,
    });
    expect(Math.max(...steps)).toBeLessThan(1);
    expect((await checkIemocap(gcnetRoot, { form: 'gcnet', classes: 6 })).expected).toMatchObject({
      utterances: 7433,
    });
  });

  it('looks at the features though labels are missing or damaged', async () => {
    const sequences = copy('mmin');
    rmSync(join(sequences, 'target'), { recursive: true });
    truncateSync(join(sequences, 'A/comparE_mean_std.h5'), 500);
    const { problems } = await checkIemocap(sequences);
    expect(problems.find(({ reason }) => reason.startsWith('broken'))?.ids).toEqual([
      expect.stringContaining('comparE_mean_std.h5'),
    ]);
    const vectors = copy('gcnet');
    truncateSync(join(vectors, 'IEMOCAP_features_raw_4way.pkl'), 50);
    truncateSync(join(vectors, 'features/deberta-large-4-UTT/Ses01F_impro01_F000.npy'), 100);
    expect((await checkIemocap(vectors, { form: 'gcnet' })).problems).toEqual([
      {
        reason: expect.stringMatching(/^broken/),
        ids: [
          expect.stringContaining('IEMOCAP_features_raw_4way.pkl'),
          expect.stringContaining('Ses01F_impro01_F000.npy'),
        ],
      },
    ]);
  });

  it('names a folder whose faces are all missing, which is read as zeros', async () => {
    const root = copy('gcnet');
    const faces = join(root, 'features/manet_UTT/Ses01F_impro01_F001');
    for (const name of readdirSync(faces)) rmSync(join(faces, name));
    expect((await checkIemocap(root, { form: 'gcnet' })).problems).toEqual([
      { reason: 'folder without features, read as zeros', ids: [faces] },
    ]);
  });

  it('lists what a half downloaded folder lacks', async () => {
    const root = copy('mmin');
    rmSync(join(root, 'L/bert_large.h5'));
    rmSync(join(root, 'target/2/val_label.npy'));
    truncateSync(join(root, 'V/denseface.h5'), 5000);
    const check = await checkIemocap(root);
    expect(check.found).toEqual({ utterances: 8, folds: 1 });
    const missing = check.problems.find(({ reason }) => reason === 'file missing');
    // Eight folds of six files each are not in so small a tree.
    expect(missing?.ids).toHaveLength(8 * 6 + 2);
    expect(missing?.ids).toContain(join(root, 'L/bert_large.h5'));
    expect(check.problems.find(({ reason }) => reason.startsWith('broken'))?.ids[0]).toMatch(/denseface\.h5/);
    for (const form of ['mmin', 'gcnet', 'mla'] as const) {
      const nothing = await checkIemocap(join(folder, 'nowhere'), { form });
      expect([nothing.asPublished, nothing.problems[0]?.reason]).toEqual([false, 'file missing']);
    }
  });
});

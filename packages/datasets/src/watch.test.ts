import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { readNpz } from '@g2d/formats/node';
import { G2DError } from '@g2d/core';
import { loadTensorFlow } from '@g2d/native';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectKnownBeforeReading } from '../test/known-before-reading.js';
import { batches } from './batches.js';
import { fingerprint } from './fingerprint.js';
import { watch } from './watch.js';

const root = fileURLToPath(new URL('../../../data/watch', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'g2d-watch-'));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => loadTensorFlow({ backend: 'cpu', quiet: true }));

const SPLITS = ['train', 'validation', 'test'] as const;
const open = (split: (typeof SPLITS)[number], options: object = {}) => watch({ root, split, ...options });
const subjectOf = (id: string): string => id.slice(0, 2);
/** `07-right-PEN` of `07-right-PEN-004`. */
const recordingOf = (id: string): string => id.slice(0, id.lastIndexOf('-'));

describe('watch', () => {
  it('cuts every recording into windows, and has no subject in two splits', async () => {
    const seen = new Map<string, string>();
    const windows = new Map<string, number>();
    for (const split of SPLITS) {
      const dataset = await open(split);
      await expectKnownBeforeReading(dataset);
      expect(dataset).toMatchObject({
        task: 'classification',
        modalities: ['acceleration', 'rotation'],
        shapes: { acceleration: [100, 3], rotation: [100, 3] },
        classNames: ['PEN', 'ABD', 'FEL', 'IR', 'ER', 'TRAP', 'ROW'],
      });
      expect(new Set(dataset.ids).size).toBe(dataset.size);
      const subjects = new Set(dataset.ids.map(subjectOf));
      expect(subjects.size).toBe({ train: 6, validation: 2, test: 2 }[split]);
      for (const [i, id] of dataset.ids.entries()) {
        expect(seen.get(subjectOf(id)) ?? split).toBe(split);
        seen.set(subjectOf(id), split);
        windows.set(recordingOf(id), (windows.get(recordingOf(id)) ?? 0) + 1);
        expect(id).toContain(`-${dataset.classNames[dataset.labels![i] as number]}-`);
      }
    }
    expect(seen.size).toBe(10);
    expect(windows.size).toBe(140);
    const { length } = Object.fromEntries(readNpz(join(root, 'watch.npz')));
    const expected = Array.from(length!.all(), (steps) => Math.floor(steps / 100));
    expect([...windows.values()].sort()).toEqual(expected.sort());
  });

  it('draws the subjects by the seed', async () => {
    const subjects = async (seed: number) => [...new Set((await open('test', { seed })).ids.map(subjectOf))];
    expect(await subjects(0)).toEqual(await subjects(0));
    const drawn = await Promise.all([0, 1, 2, 3].map(subjects));
    expect(new Set(drawn.map(String)).size).toBeGreaterThan(1);
  });

  it('gives the numbers of the recording, in its order, as its preprocessing says', async () => {
    const arrays = readNpz(join(root, 'watch.npz'));
    const values = arrays.get('values')!;
    const lengths = Array.from(arrays.get('length')!.all());
    const [exercise, subject, side] = ['exercise', 'subject', 'side'].map((name) =>
      Array.from(arrays.get(name)!.all()),
    ) as [number[], number[], number[]];
    const dataset = await open('test', { steps: 40 });
    // The fourth window of a recording: steps 120 to 159.
    const index = dataset.ids.findIndex((id) => id.endsWith('-003'));
    const { id, label, inputs } = await dataset.sample(index);
    const at = lengths.findIndex(
      (_, i) =>
        subject[i] === Number(subjectOf(id)) &&
        exercise[i] === label &&
        id.includes(side[i] ? 'right' : 'left'),
    );
    const start = lengths.slice(0, at).reduce((sum, length) => sum + length, 0) + 120;
    for (const [sensor, first] of [
      ['acceleration', 0],
      ['rotation', 3],
    ] as const) {
      const { mean, std } = dataset.preprocessing![sensor]!;
      for (const [step, axis] of [
        [0, 0],
        [1, 2],
        [39, 1],
      ] as const) {
        const raw = (values.row(start + step)[first + axis] as number) / 1e6;
        const back = inputs[sensor][3 * step + axis]! * std![axis]! + mean![axis]!;
        expect(back).toBeCloseTo(raw, 5);
      }
    }
    // The first of seglearn's numbers, `load_watch()['X'][0][0]`.
    expect(Array.from(values.row(0), (value) => value / 1e6)).toEqual([
      -1.083608, -0.018609, -0.02726, 0.41141, -1.603097, -2.488642,
    ]);
  });

  it('standardizes by the training subjects alone', async () => {
    const [train, test] = [await open('train', { steps: 10 }), await open('test')];
    expect(test.preprocessing).toEqual(train.preprocessing);
    let [sum, squares] = [0, 0];
    for (let i = 0; i < train.size; i++) {
      const { inputs } = await train.sample(i, { modalities: ['rotation'] });
      for (let step = 0; step < 10; step++) {
        sum += inputs.rotation[3 * step]!;
        squares += inputs.rotation[3 * step]! ** 2;
      }
    }
    // What is left over at the end of recordings counts in the statistics, and not here.
    expect(Math.abs(sum / train.size / 10)).toBeLessThan(0.01);
    expect(Math.abs(squares / train.size / 10 - 1)).toBeLessThan(0.01);
  });

  it('gives the same batches with and without a worker, and another fingerprint for another split', async () => {
    const collect = async (workers: number) => {
      const all: unknown[] = [];
      const options = { batchSize: 100, shuffle: true, workers };
      for await (const batch of batches(await open('validation'), options)) {
        const sums = ['acceleration', 'rotation'].map(
          (sensor) => tf.sum(batch.inputs[sensor as 'rotation']).dataSync()[0],
        );
        all.push([batch.ids, [...batch.labels.dataSync()], sums]);
        tf.dispose(batch);
      }
      return all;
    };
    expect(await collect(1)).toEqual(await collect(0));
    const print = async (seed: number) =>
      fingerprint(await open('test', { seed }), { modalities: ['acceleration', 'rotation'] });
    expect(await print(0)).toEqual(await print(0));
    expect(await print(2)).not.toEqual(await print(0));
  });

  it.each([[{ steps: 0 }], [{ steps: 948 }], [{ steps: 10.5 }], [{ seed: -1 }]])(
    'refuses %o',
    async (options) => {
      await expect(open('train', options)).rejects.toThrow(Object.keys(options)[0] as string);
    },
  );
});

describe('watch without the repository’s file', () => {
  it('says what is missing, damaged or other, once as an error and once in the check', async () => {
    const at = async (own: string, code: string, message: RegExp) => {
      const error: unknown = await watch({ root: own, split: 'test' }).catch((reason: unknown) => reason);
      expect(G2DError.isInstance(error) && error.code).toBe(code);
      expect(String(error)).toMatch(message);
      const { problems, asPublished } = await watch.check!({ root: own } as never);
      expect(asPublished).toBe(false);
      return problems;
    };
    expect(
      await at(join(folder, 'none'), 'G2D_DATASET_NOT_FOUND', /missing .*watch\.npz\. The file lies in/),
    ).toEqual([{ reason: 'file missing', ids: [join(folder, 'none', 'watch.npz')] }]);
    const own = join(folder, 'own');
    cpSync(root, own, { recursive: true });
    const bytes = readFileSync(join(own, 'watch.npz'));
    writeFileSync(join(own, 'watch.npz'), bytes.subarray(0, 100_000));
    await at(own, 'G2D_FILE_FORMAT', /watch\.npz/);
    // A byte of an archive's own date, which nothing else would notice.
    const dated = Buffer.from(bytes);
    dated[dated.lastIndexOf('PK\u0001\u0002') + 12]! ^= 1;
    writeFileSync(join(own, 'watch.npz'), dated);
    const [problem] = await at(
      own,
      'G2D_FILE_FORMAT',
      /is another file than the repository's: its SHA-256 is/,
    );
    expect(problem!.reason).toBe('file that cannot be used');
  });

  it('finds the repository’s folder as published, its list of checksums too', async () => {
    const check = await watch.check!({ root } as never);
    expect(check).toMatchObject({
      problems: [],
      asPublished: true,
      found: { recordings: 140, subjects: 10 },
    });
    expect(readFileSync(join(root, 'SHA256SUMS'), 'utf8')).toMatch(/^5c02386e[0-9a-f]{56} {2}watch\.npz\n$/);
  });
});

import * as tf from '@tensorflow/tfjs';
import type { EpochRecord } from '@g2d/core';
import { batches } from '@g2d/datasets';
import { lateFusion } from '@g2d/fusion';
import { randomStream } from '@g2d/tensor-ops';
import { readState, type TrainOptions } from '@g2d/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { data, modelWith, options, run, type Modality } from '../test/dense-toy.js';
import { diagnosingRelearning } from './diagnosing-relearning.js';
import { kMeans } from './k-means.js';
import { purity, separability } from './separability.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const rowsOf = (points: readonly (readonly number[])[]) => points.map((point) => Float32Array.from(point));
const labelsOf = (size: number, classes: number) => Array.from({ length: size }, (_, i) => i % classes);

describe('kMeans', () => {
  const cluster = async (points: readonly (readonly number[])[], clusters: number) => {
    const given = tf.tensor2d(points.map((point) => [...point]));
    const found = await kMeans(given, { clusters, random: randomStream(0) });
    given.dispose();
    return [...found];
  };

  it('finds clusters that are apart, whichever number each has', async () => {
    const points = [
      [0, 0],
      [10, 0],
      [0, 1],
      [0, 20],
      [11, 0],
      [1, 20],
    ];
    const found = await cluster(points, 3);
    expect(new Set(found).size).toBe(3);
    expect([found[0] === found[2], found[1] === found[4], found[3] === found[5]]).toEqual([true, true, true]);
  });

  it('works on points that are all alike, and with a cluster for each', async () => {
    expect(await cluster([[1], [1], [1]], 2)).toHaveLength(3);
    expect(new Set(await cluster([[1], [2], [4]], 3)).size).toBe(3);
  });

  it('leaves no tensor', async () => {
    const before = tf.memory().numTensors;
    await cluster([[1], [2], [4], [8]], 2);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('separability', () => {
  it('is the share of samples of the most frequent class of their cluster', () => {
    expect(purity([0, 0, 1, 1, 2, 2], [5, 5, 5, 1, 1, 1])).toBeCloseTo(4 / 6, 12);
    expect(purity([3, 3], [0, 1])).toBe(1);
  });

  // Numbers of the released code's `reinit_score`, with scikit-learn 1.x: the same for twenty of its seeds.
  it('is what the released code finds', async () => {
    const apart = [0.4, -9.6, 5, -6.7, -0.4, 30.6, 0.7, -3.6, 4, -8.5, 0.8, 40.9, 0.1, -3.4, 4.4, -9.3];
    apart.push(-0.2, 29.5, 1.4, -3.1, 4.9, -6.9, 0.2, 31.1, 1.3, -9.8, 4.9, -5.5, 0.2, 32.9, 1, 0.1);
    apart.push(4.8, 2.8, 0.1, 29.3);
    const mixed = [2, 14.3, -2, 3.6, -2, -19, 2.8, -5, 2.8, 22.9, -3.2, 2, -1, -4, 1.4, 15.2, 0.8, 28.5];
    mixed.push(-1.4, -9.2, -0.7, -17, -0.1, -21.7, 2.5, 43.6, -2.9, -4.5, -0.1, -8.2, 1.9, -24.3, 0.3, 13.7);
    mixed.push(-1.8, -26.8, -3.2, -11.2, 1.9, -17.6);
    const found = (values: readonly number[], classes: number) => {
      const rows = Array.from({ length: values.length / 2 }, (_, i) =>
        Float32Array.from(values.slice(2 * i, 2 * i + 2)),
      );
      return separability({ rows, labels: labelsOf(rows.length, classes) }, classes);
    };
    expect(await found(apart, 3)).toBe(1);
    expect(await found(mixed, 4)).toBeCloseTo(0.75, 12);
  });

  it('is nothing where there are fewer samples than clusters, and a number where all are alike', async () => {
    const one = rowsOf([[1, 2]]);
    expect(await separability({ rows: one, labels: [0] }, 2)).toBeUndefined();
    expect(await separability({ rows: [], labels: [] }, 0)).toBeUndefined();
    expect(await separability({ rows: rowsOf([[3], [3], [3]]), labels: [0, 0, 1] }, 2)).toBeCloseTo(
      2 / 3,
      12,
    );
  });
});

describe('diagnosingRelearning', () => {
  const every = () => batches(data, { batchSize: 20 }) as never;
  /** The first samples of the data: as a split of its own, its purity is another. */
  const first = async function* () {
    for await (const batch of batches(data, { batchSize: 20 })) {
      yield batch;
      break;
    }
  } as never;
  const training = { everySample: every, everyValidationSample: first };
  type Log = readonly (EpochRecord & Record<string, unknown>)[];

  async function trained(
    own: Parameters<typeof diagnosingRelearning>[0],
    others: Partial<TrainOptions<Modality>> = {},
  ) {
    const model = modelWith(lateFusion(options));
    const begun = readState(model);
    const states: { before: Record<string, number[]>; after: Record<string, number[]> }[] = [];
    const plain = (state: ReturnType<typeof readState>) =>
      Object.fromEntries(Object.entries(state).map(([name, { values }]) => [name, [...values]]));
    const log = (await run(model, diagnosingRelearning<Modality>(own), {
      epochs: 3,
      ...training,
      onEpoch: (record, _, evaluated) => {
        states.push({ before: plain(evaluated()), after: plain(readState(model)) });
        void record;
      },
      ...others,
    })) as Log;
    return { log, begun: plain(begun), states, end: plain(readState(model)) };
  }

  /** The log that `run` gives is empty where a test has an `onEpoch` of its own. */
  const logOf = async (own: Parameters<typeof diagnosingRelearning>[0], epochs: number) =>
    (await run(modelWith(lateFusion(options)), diagnosingRelearning<Modality>(own), {
      epochs,
      ...training,
    })) as unknown as readonly Readonly<Record<string, Readonly<Record<Modality, number>> | undefined>>[];

  it('takes the parameters of encoders back by tanh(λ gap), and nothing else', async () => {
    const { begun, states } = await trained({ every: 1, times: 1 });
    const [, log] = await logOf({ every: 1, times: 1 }, 3);
    const [{ before, after }] = states as [(typeof states)[number]];
    for (const m of ['loud', 'quiet'] as const) {
      const gap = Math.abs(log!['purityTrain']![m] - log!['purityValidation']![m]);
      const strength = Math.tanh(3 * gap);
      expect(log!['relearned']![m]).toBeCloseTo(strength, 6);
      expect(m === 'loud' || strength > 0).toBe(true);
      for (const [name, values] of Object.entries(before).filter(([of]) => of.startsWith(`${m}/`))) {
        const share = name.includes('moving') ? 0 : strength;
        values.forEach((value, i) =>
          expect(after[name]![i]).toBeCloseTo(share * begun[name]![i]! + (1 - share) * value, 6),
        );
      }
    }
    const others = Object.keys(before).filter((name) => !/^(loud|quiet)\//.test(name));
    expect(others.map((name) => after[name])).toEqual(others.map((name) => before[name]));
  });

  it('diagnoses when it is due, so many times, and not after the last epoch', async () => {
    const epochs = async (own: Parameters<typeof diagnosingRelearning>[0]) =>
      (await logOf(own, 7)).flatMap((record, i) => (record['relearned'] ? [i] : []));
    expect(await epochs({ every: 2, times: 2 })).toEqual([2, 4]);
    expect(await epochs({ every: 2, times: 2, reference: 'official' })).toEqual([3, 5]);
    expect(await epochs({ every: 3, times: 9 })).toEqual([3, 6]);
    expect(await epochs({ every: 7 })).toEqual([]);
  });

  it('changes nothing with λ = 0, bit for bit', async () => {
    const joint = modelWith(lateFusion(options));
    await run(joint, { name: 'nothing' }, { epochs: 3 });
    const { end } = await trained({ every: 1, lambda: 0 });
    expect(end).toEqual(
      Object.fromEntries(Object.entries(readState(joint)).map(([name, { values }]) => [name, [...values]])),
    );
  });

  it('leaves a modality as it is that too few samples have', async () => {
    const without = async function* () {
      for await (const batch of batches(data, { batchSize: 20 }))
        yield {
          ...batch,
          present: { quiet: tf.tensor1d(Array.from({ length: 20 }, (_, i) => Number(i < 1))) },
        };
    } as never;
    const two = async function* () {
      for await (const batch of batches(data, { batchSize: 2 })) {
        yield { ...batch, present: { quiet: tf.tensor1d([1, 0]) } };
        break;
      }
    } as never;
    for (const others of [
      { everyValidationSample: two },
      { everySample: without, everyValidationSample: two },
    ]) {
      const { states } = await trained({ every: 1, times: 1 }, others);
      expect(states[0]!.after['quiet/dense/kernel']).toEqual(states[0]!.before['quiet/dense/kernel']);
    }
  });

  it('works on one modality', async () => {
    const alone = modelWith(lateFusion({ widths: { loud: 5 }, classes: 3, seed: 0 }));
    const log = await run(alone, diagnosingRelearning<'loud'>({ every: 1 }), {
      epochs: 2,
      ...training,
    });
    expect(log[1]).toMatchObject({ relearned: { loud: expect.any(Number) } });
  });

  it('needs a validation split, and is for classification', async () => {
    const model = () => modelWith(lateFusion(options));
    await expect(run(model(), diagnosingRelearning<Modality>(), { everySample: every })).rejects.toThrow(
      /looks at the samples of the validation split; pass `everyValidationSample`/,
    );
    await expect(
      run(model(), diagnosingRelearning<Modality>(), { ...training, task: 'regression' }),
    ).rejects.toThrow(/is for classification/);
    expect(() => diagnosingRelearning({ every: 0 })).toThrow(/every/);
  });
});

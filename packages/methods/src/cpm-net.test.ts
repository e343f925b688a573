import * as tf from '@tensorflow/tfjs';
import type { Batch, EpochRecord, Logits } from '@g2d/core';
import { batches, fromSamples, missingModalities } from '@g2d/datasets';
import { flat } from '@g2d/encoders';
import { MultimodalModel } from '@g2d/fusion';
import { randomStream } from '@g2d/tensor-ops';
import { evaluate, predictorAt, readState, train, type TrainOptions, type TrainingState } from '@g2d/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { cpmNet } from './cpm-net.js';
import { classMeansOfOthers, classScores, clusteringLoss } from './latent-classes.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type M = 'a' | 'b';
const random = randomStream(3);
const dataOf = (labels: readonly number[], split: 'train' | 'test' = 'train') =>
  fromSamples({
    name: 'views',
    split,
    classNames: ['x', 'y', 'z'],
    shapes: { a: [3], b: [2] },
    samples: labels.map((label, i) => ({
      id: `${split}/${i}`,
      label,
      inputs: {
        a: Float32Array.from({ length: 3 }, (_, d) => 2 * Number(d === label) + 0.2 * random.normal()),
        b: Float32Array.from({ length: 2 }, (_, d) => 2 * Number(d === label) + 0.2 * random.normal()),
      },
    })),
  });
const labels = Array.from({ length: 12 }, (_, i) => i % 3);
const data = dataOf(labels);
const test = dataOf(labels, 'test');

const small = { latent: 4, hidden: [5], dropout: 0.2, latentRate: 3, testSteps: 60 };
const modelOf = (order: readonly M[] = ['a', 'b'], options: Parameters<typeof cpmNet>[0] = small) => {
  const widths = { a: 3, b: 2 };
  const pick = <T>(of: (m: M) => T): Record<M, T> =>
    Object.fromEntries(order.map((m) => [m, of(m)])) as Record<M, T>;
  return new MultimodalModel<M>({
    encoders: pick((m) => flat({ name: m, inputShape: [widths[m]], seed: 0 })),
    fusion: cpmNet<M>(options).fusion!({ widths: pick((m) => widths[m]), classes: 3, seed: 0 }),
  });
};
const settings = (given: Partial<TrainOptions<M>> = {}): TrainOptions<M> => ({
  model: modelOf(),
  methods: [cpmNet<M>(small)],
  epochs: 3,
  seed: 5,
  optimizer: { type: 'adam', learningRate: 0.01 },
  batchesPerEpoch: 1,
  everySample: () => batches(data, { batchSize: 5 }),
  batches: (epoch, startBatch) =>
    batches(data, { batchSize: 12, epoch, startBatch, shuffle: true, seed: 11 }),
  ...given,
});
const trained = async (given: Partial<TrainOptions<M>> = {}) => {
  const options = settings(given);
  const log: EpochRecord[] = [];
  const { predict } = await train({
    ...options,
    onEpoch: (record) => void log.push({ ...record, seconds: 0 }),
  });
  return { weights: readState(options.model), predict, log };
};
const rowsOf = (predict: (batch: Batch<M>) => Logits<M>, batch: Batch<M>): number[] =>
  tf.tidy(() => {
    const { logits, unimodalLogits } = predict(batch);
    return [logits, unimodalLogits.a, unimodalLogits.b].flatMap((z) => [...z.dataSync()]) as never;
  }) as number[];

it('trains one modality too, at the cost that its recipe says', async () => {
  for (const order of [['a'], ['a', 'b']] as const) {
    const { log } = await trained({ model: modelOf(order) });
    expect(log.every(({ loss }) => Object.values(loss).every(Number.isFinite))).toBe(true);
    const { forward, backward } = cpmNet.recipe!.cost;
    for (const m of order)
      expect([log[1]!.passes!.forward[m] ?? 0, log[1]!.passes!.backward[m] ?? 0]).toEqual([
        forward,
        backward,
      ]);
  }
});

describe('the classes of latent vectors', () => {
  const h = () =>
    tf.tensor2d([
      [1, 0],
      [2, 0],
      [0, 1],
      [0, 3],
    ]);

  it('score by the mean product with the others of a class, without the sample itself', () => {
    // ⟨h_0, h_1⟩ = 2; of the second class ⟨h_2, h_3⟩ = 3.
    expect(classMeansOfOthers(h(), [0, 0, 1, 1], 2).arraySync()).toEqual([
      [2, 0],
      [2, 0],
      [0, 3],
      [0, 3],
    ]);
  });

  it('lose nothing where all are right, and 1 and the distance where one is not', () => {
    expect(clusteringLoss(classMeansOfOthers(h(), [0, 0, 1, 1], 2), [0, 0, 1, 1]).dataSync()[0]).toBe(0);
    // Sample 1: own class 0 has ⟨h_1, h_3⟩ = 0, the other ⟨h_1, h_0⟩ = 2: 1 + 2 − 0, and so on for each.
    const swapped = [1, 0, 1, 0];
    const means = classMeansOfOthers(h(), swapped, 2).arraySync();
    expect(means).toEqual([
      [1, 0],
      [0, 1],
      [1.5, 0],
      [0, 1.5],
    ]);
    expect(clusteringLoss(tf.tensor2d(means), swapped).dataSync()[0]).toBe(2 + 2 + 2.5 + 2.5);
  });

  it('score new samples by mean or by the nearest; a class that nobody has is last', () => {
    const known = { latents: h(), labels: [0, 0, 1, 1], classes: 3 };
    const [x] = [tf.tensor2d([[1, 1]])];
    expect(classScores(x!, known, 'mean').arraySync()).toEqual([[1.5, 2, 1.5 - 100]]);
    expect(classScores(x!, known, 'nearest').arraySync()).toEqual([[2, 3, 2 - 100]]);
  });
});

describe('cpmNet', () => {
  it('learns, and predicts samples that it has not seen, fused and by each modality', async () => {
    const { predict, log } = await trained({ epochs: 40 });
    expect(Object.keys(log[0]!.loss)).toEqual(['reconstruction', 'classification', 'total']);
    expect(log.at(-1)!.loss['reconstruction']).toBeLessThan(log[0]!.loss['reconstruction']! / 2);
    // There is no score of single modalities in training.
    expect(Object.keys(log[0]!.train)).toEqual(['fused']);
    const { accuracy } = await evaluate(predict, test);
    expect(accuracy['fused']).toBeGreaterThan(90);
    expect(Object.keys(accuracy)).toEqual(['fused', 'a', 'b']);
  });

  it('goes on after a stop as if there had been none', async () => {
    const whole = await trained();
    for (const after of [1, 2, 3]) {
      let saved: TrainingState | undefined;
      let steps = 0;
      await train(
        settings({ afterStep: (capture) => (++steps < after ? undefined : ((saved = capture()), 'stop')) }),
      );
      const rest = await trained({ resume: saved });
      expect(rest.weights).toEqual(whole.weights);
      for await (const batch of batches(test, { batchSize: 12 })) {
        expect(rowsOf(rest.predict, batch)).toEqual(rowsOf(whole.predict, batch));
        expect(rowsOf(await predictorAt(settings({ resume: saved })), batch).every(Number.isFinite)).toBe(
          true,
        );
        tf.dispose(batch);
      }
    }
  });

  it('predicts a sample alike in any batch, and whatever the order of the modalities', async () => {
    const { predict } = await trained();
    const whole = await evaluate(predict, test);
    const parts = await evaluate(predict, test, { batchSize: 5 });
    whole.logits['fused']!.forEach((row, i) =>
      row.forEach((value, c) => expect(parts.logits['fused']![i]![c]).toBeCloseTo(value, 5)),
    );
    const permuted = await trained({
      model: modelOf(['b', 'a'], { ...small, dropout: 0 }),
      methods: [cpmNet<M>({ ...small, dropout: 0 })],
    });
    const plain = await trained({
      model: modelOf(['a', 'b'], { ...small, dropout: 0 }),
      methods: [cpmNet<M>({ ...small, dropout: 0 })],
    });
    for (const [name, { values }] of Object.entries(plain.weights))
      values.forEach((value, i) => expect(permuted.weights[name]!.values[i]).toBeCloseTo(value, 4));
  });

  it('never looks at what a mask hides, be it no number', async () => {
    const hidden = missingModalities(data, { rate: 0.4, seed: 1, inputs: 'complete' });
    const batchesOf = (nonsense: boolean) =>
      async function* (epoch: number, startBatch: number): AsyncGenerator<Batch<M>> {
        for await (const batch of batches(hidden, { batchSize: 12, epoch, startBatch })) {
          if (!nonsense) {
            yield batch;
            continue;
          }
          const spoilt = (m: M): tf.Tensor =>
            tf.tidy(() =>
              tf.where(
                tf.greater(tf.expandDims(batch.present![m]!, 1), 0),
                batch.inputs[m],
                tf.fill(batch.inputs[m].shape, NaN),
              ),
            );
          yield { ...batch, inputs: { a: spoilt('a'), b: spoilt('b') } };
        }
      };
    const [plain, spoilt] = [
      await trained({ batches: batchesOf(false) }),
      await trained({ batches: batchesOf(true) }),
    ];
    expect(spoilt.weights).toEqual(plain.weights);
    for await (const batch of batchesOf(false)(1, 0))
      for await (const other of batchesOf(true)(1, 0)) {
        const rows = rowsOf(plain.predict, batch);
        expect(rows.every(Number.isFinite)).toBe(true);
        expect(rowsOf(spoilt.predict, other)).toEqual(rows);
      }
  });

  it('predicts at the rate of the latent vectors, or of the decoders, and with dropout where it is told to', async () => {
    const of = async (given: object): Promise<number[]> => {
      const options = { ...small, ...given };
      const { predict } = await trained({ methods: [cpmNet<M>(options)] });
      for await (const batch of batches(test, { batchSize: 12 })) return rowsOf(predict, batch);
      return [];
    };
    const plain = await of({});
    expect(await of({ testRate: 'decoders' })).not.toEqual(plain);
    // 3 times the rate of the decoders is what the latent vectors have.
    expect(await of({ testDropout: true })).not.toEqual(plain);
    expect(await of({ testDropout: true })).toEqual(await of({ testDropout: true }));
  });

  it('refuses several batches, several processes, a class with one sample, and another fusion', async () => {
    await expect(train(settings({ batchesPerEpoch: 3 }))).rejects.toThrow(
      /CPM-Net compares all training samples .* an epoch has 3 batches of 12 samples. Give it a batch size of 12 or more/,
    );
    const { batchesPerEpoch: _, ...unknown } = settings({
      batches: (epoch) => batches(data, { batchSize: 4, epoch }),
    });
    await expect(train(unknown)).rejects.toThrow(/an epoch has a second batch \(epoch 1, 4 samples\)/);
    await expect(train(settings({ allReduce: { processes: 2, sum: () => {} } }))).rejects.toThrow(
      /"cpm-net" needs all of a batch in one process, and 2 would share it\. Train it in one\./,
    );
    const lonely = dataOf([0, 0, 1, 1, 2]);
    await expect(
      train(
        settings({
          everySample: () => batches(lonely, { batchSize: 5 }),
          batches: () => batches(lonely, { batchSize: 5 }),
        }),
      ),
    ).rejects.toThrow(
      /Class 2 has one training sample \("train\/4"\).*Give the class another sample, or leave it out/,
    );
    expect(() => modelOf().toLayersModel()).toThrow(/no saved model of layers does/);
  });
});

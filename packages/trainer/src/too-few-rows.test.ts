// Batches of which batch normalization would see one value in each channel.
import * as tf from '@tensorflow/tfjs';
import type { AbsentRows, AllReduce, Batch, EpochRecord } from '@g2d/core';
import { lateFusion, MultimodalModel } from '@g2d/fusion';
import { beforeAll, describe, expect, it } from 'vitest';
import { readState } from './model-state.js';
import { train, type TrainOptions } from './train.js';
import type { TrainingState } from './training-state.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type Modality = 'a' | 'b';

/** A table of three columns; `a` is normalized. */
function encoder(name: Modality): tf.LayersModel {
  const inputs = tf.input({ shape: [3] });
  const dense = tf.layers.dense({ name: `${name}/dense`, units: 2, kernelInitializer: 'ones' });
  const x = dense.apply(inputs) as tf.SymbolicTensor;
  const bn = tf.layers.batchNormalization({ name: `${name}/bn`, momentum: 0.9 });
  return tf.model({ name, inputs, outputs: name === 'a' ? (bn.apply(x) as tf.SymbolicTensor) : x });
}

const build = (absentRows: AbsentRows = 'zeros') =>
  new MultimodalModel({
    encoders: { a: encoder('a'), b: encoder('b') },
    fusion: lateFusion({ widths: { a: 2, b: 2 }, classes: 2, seed: 0 }),
    absentRows,
  });

/** A model of one modality, for the batches of both. */
const teacher = (name: Modality) =>
  new MultimodalModel<string>({
    encoders: { [name]: encoder(name) },
    fusion: lateFusion<string>({ widths: { [name]: 2 }, classes: 2, seed: 0 }),
  }) as never;

const samples = (count: number, present?: Batch<Modality>['present']): Batch<Modality> => {
  const inputs = () =>
    tf.tensor2d(
      Array.from({ length: 3 * count }, (_, i) => Math.sin(i * i)),
      [count, 3],
    );
  return {
    inputs: { a: inputs(), b: inputs() },
    labels: tf.tensor1d(
      Array.from({ length: count }, (_, i) => i % 2),
      'int32',
    ),
    ids: Array.from({ length: count }, (_, i) => `s${i}`),
    ...(present && { present }),
  };
};

async function run(all: () => Batch<Modality>[], changes: Partial<TrainOptions<Modality>> = {}) {
  const model = changes.model ?? build();
  const records: EpochRecord[] = [];
  await train<Modality>({
    model,
    methods: [],
    epochs: 1,
    optimizer: { learningRate: 0.1, momentum: 0.9 },
    batches: async function* (_, startBatch) {
      for (const [i, batch] of all().entries()) if (i >= startBatch) yield { ...batch, index: i };
    },
    onEpoch: (record) => void records.push(record),
    ...changes,
  });
  return { state: readState(model), records };
}

/** Two processes; `other` is what the second one adds where this one has `own`. */
const two = (other: (own: number, values: Float32Array | Float64Array) => number): AllReduce => ({
  processes: 2,
  sum: (values) => {
    const own = values.slice();
    own.forEach((value, i) => (values[i] = value + other(value, own)));
  },
});

describe('a batch of one sample', () => {
  it('is left out and counted: weights and statistics are those of a training without it', async () => {
    const [with_, without] = [await run(() => [samples(4), samples(1)]), await run(() => [samples(4)])];
    expect(with_.state).toEqual(without.state);
    expect(with_.records[0]?.skippedSteps).toBe(1);
    expect(without.records[0]).not.toHaveProperty('skippedSteps');
    expect(with_.records[0]?.loss).toEqual(without.records[0]?.loss);
  });

  it('trains where nothing is normalized', async () => {
    const { records } = await run(() => [samples(4), samples(1)], { model: teacher('b') });
    expect(records[0]).not.toHaveProperty('skippedSteps');
  });

  it('is one sample that is left of a teacher’s batch too', async () => {
    const all = () => [samples(4), samples(4, { a: tf.tensor1d([0, 1, 0, 0]) })];
    const { records } = await run(all, { model: teacher('a') });
    expect(records[0]?.skippedSteps).toBe(1);
  });

  it('is an error where there is nothing else', async () => {
    await expect(run(() => [samples(1), samples(1)])).rejects.toThrow(
      'All 2 batches of the epoch were left out: in each, one sample alone had a modality, and batch normalization cannot be trained on one value. Take a larger batch size.',
    );
  });

  it('is counted over a stop and a resumption', async () => {
    const all = () => [samples(1), samples(4), samples(1)];
    let state: TrainingState | undefined;
    const afterStep = (capture: () => TrainingState) => {
      state = capture();
      return 'stop' as const;
    };
    await run(all, { afterStep });
    const { records } = await run(all, { resume: state });
    expect(records[0]?.skippedSteps).toBe(2);
  });
});

describe('one present sample', () => {
  const all = () => [samples(4), samples(4, { a: tf.tensor1d([0, 0, 1, 0]) })];

  it('is too few where encoders run on present samples alone, and enough beside rows of zeros', async () => {
    const [skip, zeros] = [await run(all, { model: build('skip') }), await run(all)];
    expect(skip.records[0]?.skippedSteps).toBe(1);
    expect(zeros.records[0]).not.toHaveProperty('skippedSteps');
    const none = () => [samples(4), samples(4, { a: tf.tensor1d([0, 0, 0, 0]) })];
    const { records } = await run(none, { model: build('skip') });
    expect(records[0]).not.toHaveProperty('skippedSteps');
  });
});

describe('several processes', () => {
  it('leave a batch out together, whichever of them has too few', async () => {
    // The question is the only sum of one number that is 0 or 1.
    const asked: number[] = [];
    const other = (no: number) =>
      two((own, values) => {
        const isQuestion = values instanceof Float64Array && values.length === 1 && own <= 1;
        if (isQuestion) asked.push(own);
        return isQuestion ? no : own;
      });
    const fine = await run(() => [samples(4), samples(4)], { allReduce: other(0) });
    expect(fine.records[0]).not.toHaveProperty('skippedSteps');
    expect(asked).toEqual([0, 0]);
    const here = await run(() => [samples(4), samples(1)], { allReduce: other(0) });
    expect(here.records[0]?.skippedSteps).toBe(1);
    expect(asked.slice(2)).toEqual([0, 1]);
    await expect(run(() => [samples(4), samples(4)], { allReduce: other(1) })).rejects.toThrow(
      'All 2 batches of the epoch were left out',
    );
  });

  it('give null where no process reaches a variable, also beside batches that were left out', async () => {
    const seen: (boolean | undefined)[] = [];
    const methods = [
      {
        name: 'b-only',
        loss: ({ unimodalLogits }: never, step: never) => ({
          total: (step as { taskLoss(z: tf.Tensor): tf.Scalar }).taskLoss(
            (unimodalLogits as { b: tf.Tensor }).b,
          ),
        }),
        edit: (gradients: readonly { parameter: { name: string }; tensor: tf.Tensor | null }[]) => {
          seen.push(gradients.find(({ parameter }) => parameter.name === 'a/dense/kernel')?.tensor === null);
          return gradients;
        },
      },
    ];
    await run(() => [samples(1), samples(4)], { methods: methods as never, allReduce: two((own) => own) });
    expect(seen).toEqual([true]);
  });
});

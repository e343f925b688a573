import * as tf from '@tensorflow/tfjs';
import type { Batch, EpochRecord, Method } from '@g2d/core';
import { randomStream } from '@g2d/tensor-ops';
import { beforeAll, expect, it } from 'vitest';
import { Imputer, TwoScalars, type Imputed, type Two } from '../test/other-models.js';
import { readState } from './model-state.js';
import { train } from './train.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const numbers = (shape: [number, number], seed: number): tf.Tensor2D => {
  const random = randomStream(seed);
  return tf.tensor2d(
    Array.from({ length: shape[0] * shape[1] }, () => random.normal()),
    shape,
  );
};

it('trains a model that imputes missing modalities, with losses of its own', async () => {
  const imputation: Method<Two> = {
    name: 'imputation',
    needs: { inputs: 'complete' },
    loss({ logits, features, imputed }: Imputed, step) {
      const student = step.taskLoss(logits);
      const errors = step.model.modalities.map((m) => tf.losses.meanSquaredError(features[m], imputed[m]));
      const reconstruction = tf.addN(errors) as tf.Scalar;
      return { student, reconstruction, total: tf.add(student, tf.mul(reconstruction, 0.1)) };
    },
  };
  async function* epoch(): AsyncGenerator<Batch<Two>> {
    for (let i = 0; i < 3; i++) {
      yield {
        inputs: { image: numbers([6, 4], i), table: numbers([6, 4], i + 10) },
        labels: tf.tensor1d([0, 1, 0, 1, 0, 1], 'int32'),
        ids: ['a', 'b', 'c', 'd', 'e', 'f'],
        present: { table: tf.tensor1d([1, 1, 0, 1, 0, 1]) },
      };
    }
  }
  const model = new Imputer();
  const start = readState(model);
  const before = tf.memory().numTensors;
  const log: EpochRecord[] = [];
  const { predict } = await train({
    model,
    methods: [imputation],
    epochs: 20,
    optimizer: { learningRate: 0.05, momentum: 0.9 },
    batches: epoch,
    onEpoch: (record) => void log.push(record),
  });
  expect(tf.memory().numTensors).toBe(before);
  expect(Object.keys(log[0]!.loss)).toEqual(['student', 'reconstruction', 'total']);
  expect(log.at(-1)!.loss['total']).toBeLessThan(log[0]!.loss['total']! / 2);
  for (const [name, { values }] of Object.entries(readState(model)))
    expect(values, name).not.toEqual(start[name]!.values);
  for await (const batch of epoch()) {
    expect(tf.tidy(() => predict(batch).logits.shape)).toEqual([6, 2]);
    tf.dispose(batch);
  }
});

it('trains a regression head of two scalars, and freezes a part of it', async () => {
  async function* epoch(): AsyncGenerator<Batch<Two>> {
    for (let i = 0; i < 4; i++) {
      const [image, table] = [numbers([5, 3], i), numbers([5, 3], i + 10)];
      // In (0, 1), as a loop of regressions asks for.
      const labels = tf.tidy(() => tf.sigmoid(tf.sum(tf.sub(image, table), 1)) as tf.Tensor1D);
      yield { inputs: { image, table }, labels, ids: ['a', 'b', 'c', 'd', 'e'] };
    }
  }
  const rawError: Method<Two> = {
    name: 'raw-error',
    plan: () => ({ coefficient: ({ name }) => (name === 'scale/table' ? null : 1) }),
    loss: ({ logits }, { batch }) => ({
      total: tf.losses.meanSquaredError(tf.expandDims(batch.labels, 1), logits) as tf.Scalar,
    }),
  };
  const model = new TwoScalars();
  const start = readState(model);
  const log: EpochRecord[] = [];
  const before = tf.memory().numTensors;
  await train({
    model,
    methods: [rawError],
    task: 'regression',
    epochs: 15,
    optimizer: { type: 'adam', learningRate: 0.02, weightDecay: 0.01 },
    batches: epoch,
    onEpoch: (record) => void log.push(record),
  });
  expect(tf.memory().numTensors).toBe(before);
  expect(log.at(-1)!.loss['total']).toBeLessThan(log[0]!.loss['total']! / 2);
  const end = readState(model);
  const same = Object.keys(end).filter((name) => end[name]!.values.join() === start[name]!.values.join());
  expect(same).toEqual(['scale/table']);
});

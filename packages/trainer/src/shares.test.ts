// Processes that are given the same batches and train on rows of their own come to what one process does.
import * as tf from '@tensorflow/tfjs';
import type { AllReduce, EpochRecord, Method } from '@g2d/core';
import { batches } from '@g2d/datasets';
import { lateFusion, MultimodalModel } from '@g2d/fusion';
import { beforeAll, describe, expect, it } from 'vitest';
import { inLockstep } from '../test/lockstep.js';
import { toyDataset, toyModel, type Modality } from '../test/toy.js';
import { evaluate, inferenceOf } from './evaluate.js';
import { readState } from './model-state.js';
import { gatherBytes } from './reduce.js';
import { train, type TrainOptions } from './train.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const BOTH = ['loud', 'quiet'] as const;
// Batches of six, and at last one of two, which three processes train on whole.
const data = toyDataset('train', 14, 1);

async function trained(allReduce: AllReduce | undefined, changes: Partial<TrainOptions<Modality>> = {}) {
  const model = toyModel(BOTH, 0);
  const log: EpochRecord[] = [];
  await train({
    model,
    methods: [],
    epochs: 1,
    optimizer: { learningRate: 0.1, momentum: 0.9, weightDecay: 0.1 },
    batches: (epoch, startBatch) => batches(data, { batchSize: 6, epoch, startBatch, shuffle: true }),
    onEpoch: (record) => void log.push(record),
    ...(allReduce && { allReduce }),
    ...changes,
  });
  const weights = Object.values(readState(model)).flatMap(({ values }) => [...values]);
  return { weights, log };
}

const apart = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

/** Compares every sample with the next one of the batch. */
const pairwise: Method<Modality> = {
  name: 'pairwise',
  loss({ logits }, step) {
    const all = step.allRows(logits);
    const next = tf.concat([tf.slice(all, 1), tf.slice(all, 0, 1)]);
    const total = tf.mul<tf.Scalar>(
      tf.mean(tf.squaredDifference(all, tf.mul(next, 0.5))),
      step.share(undefined, 'processes'),
    );
    return { total };
  },
};

describe('shares of a batch', () => {
  it.each([
    ['joint training', 2, {}],
    ['joint training', 3, {}],
    ['batches of two', 2, { accumulate: 2 }],
    ['samples that are compared with one another', 3, { methods: [pairwise] }],
    ['samples that are compared, batches of two', 2, { methods: [pairwise], accumulate: 2 }],
  ] as const)('give what the whole gives: %s, %i processes', async (_, processes, changes) => {
    const one = await trained(undefined, changes);
    const all = await inLockstep(processes, (allReduce) => trained(allReduce, changes));
    for (const { weights, log } of all) {
      expect(weights).toEqual(all[0]!.weights);
      expect(apart(weights, one.weights)).toBeLessThan(1e-6);
      expect(log[0]!.loss['total']).toBeCloseTo(one.log[0]!.loss['total']!, 5);
      expect(log[0]!.train['fused']).toBeCloseTo(one.log[0]!.train['fused']!, 5);
    }
  });

  it.each([2, 3])('are what each reads, if it can: %i processes', async (processes) => {
    const one = await trained(undefined);
    const read = new Map<number, Set<string>>();
    const all = await inLockstep(processes, (allReduce) => {
      const own = new Set<string>();
      read.set(allReduce.rank, own);
      return trained(allReduce, {
        batches: async function* (epoch, startBatch, part) {
          const options = { batchSize: 6, epoch, startBatch, shuffle: true, ...(part && { part }) };
          for await (const batch of batches(data, options)) {
            for (const id of batch.ids) own.add(id);
            yield batch;
          }
        },
      });
    });
    for (const { weights, log } of all) {
      expect(weights).toEqual(all[0]!.weights);
      expect(apart(weights, one.weights)).toBeLessThan(1e-6);
      expect(log[0]!.train['fused']).toBeCloseTo(one.log[0]!.train['fused']!, 5);
    }
    // The last batch, of two, cannot be divided by three.
    const last = processes === 3 ? 2 : 2 / processes;
    for (const own of read.values()) expect(own.size).toBe(12 / processes + last);
  });

  it('make one small sum a step, and what methods ask for', async () => {
    const counts = async (methods: readonly Method<Modality>[]) => {
      let sums = 0;
      let gradients = 0;
      const allReduce: AllReduce = {
        rank: 0,
        processes: 2,
        sum: (values) => {
          sums++;
          values.forEach((value, i) => (values[i] = 2 * value));
        },
        sumTensors: (tensors) => {
          gradients++;
          return tensors.map((tensor) => tf.mul(tensor, 2));
        },
      };
      const told: (readonly number[])[] = [];
      await trained(allReduce, {
        methods,
        batches: () => batches(data, { batchSize: 6, dropLast: true }),
        ask: () => [1, 0],
        afterStep: (_, all) => void told.push(all),
      });
      expect(told).toEqual([
        [2, 0],
        [2, 0],
      ]);
      // Of two steps.
      return { sums: sums / 2, gradients: gradients / 2 };
    };
    expect(await counts([])).toEqual({ sums: 1, gradients: 1 });
    const asks: Method<Modality> = {
      name: 'asks',
      plan: (step) => {
        step.meanByModality({ loud: tf.ones([3]), quiet: tf.ones([3]) });
        return {};
      },
    };
    expect(await counts([asks])).toEqual({ sums: 2, gradients: 1 });
  });

  it('are taken of the samples that have a modality of the model', async () => {
    // Of the first batch one sample has neither: five are left, which two processes cannot divide.
    async function* lacking(): AsyncGenerator<never> {
      for await (const batch of batches(data, { batchSize: 6 })) {
        const mask = () => tf.tensor1d(batch.ids.map((id) => (id.endsWith('/0') ? 0 : 1)));
        yield { ...batch, present: { loud: mask(), quiet: mask() } } as never;
      }
    }
    const one = await trained(undefined, { batches: lacking });
    for (const { weights } of await inLockstep(2, (allReduce) => trained(allReduce, { batches: lacking })))
      expect(apart(weights, one.weights)).toBeLessThan(1e-6);
  });

  it('are left whole where batch normalization would have one sample', async () => {
    const build = () => {
      const inputs = tf.input({ shape: [4] });
      const outputs = tf.layers.batchNormalization({ name: 'loud/bn' }).apply(inputs) as tf.SymbolicTensor;
      return new MultimodalModel<'loud'>({
        encoders: { loud: tf.model({ name: 'loud', inputs, outputs }) },
        fusion: lateFusion({ widths: { loud: 4 }, classes: 3, seed: 0 }),
      });
    };
    const run = async (allReduce?: AllReduce) => {
      const model = build();
      await train({
        model,
        methods: [],
        epochs: 1,
        optimizer: { learningRate: 0.1 },
        batches: () => batches(toyDataset('train', 6, 1), { batchSize: 2, modalities: ['loud'] }),
        ...(allReduce && { allReduce }),
      });
      return Object.values(readState(model)).flatMap(({ values }) => [...values]);
    };
    const one = await run();
    for (const weights of await inLockstep(2, run)) expect(apart(weights, one)).toBeLessThan(1e-6);
  });
});

describe('evaluation by several processes', () => {
  it.each([2, 3, 5])('gives all the same, whoever read what: %i', async (processes) => {
    const predict = inferenceOf(toyModel(BOTH, 0));
    const one = await evaluate(predict, data, { batchSize: 4 });
    for (const found of await inLockstep(processes, (allReduce) =>
      evaluate(predict, data, { batchSize: 4, allReduce }),
    ))
      expect(found).toEqual(one);
  });
});

describe('gatherBytes', () => {
  it('gives what each process has, also nothing', async () => {
    const own = [Uint8Array.of(1, 2, 255), Uint8Array.of(), Uint8Array.of(0, 254, 3, 4)];
    const all = await inLockstep(3, (allReduce) => gatherBytes(allReduce, own[allReduce.rank]!));
    expect(all).toEqual([own, own, own]);
  });
});

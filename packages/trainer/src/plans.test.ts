// Who trains in a step: what plans say, and what the loop holds of it.
import * as tf from '@tensorflow/tfjs';
import type { Method } from '@g2d/core';
import { batches } from '@g2d/datasets';
import { beforeAll, describe, expect, it } from 'vitest';
import { toyDataset, toyModel, type Modality } from '../test/toy.js';
import { readState } from './model-state.js';
import { train } from './train.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const data = toyDataset('train', 40, 1);

async function run(methods: readonly Method<Modality>[]) {
  const model = toyModel(['loud', 'quiet'], 0);
  const start = readState(model);
  await train({
    model,
    methods,
    epochs: 2,
    optimizer: { learningRate: 0.1, momentum: 0.9, weightDecay: 0.1 },
    batches: (epoch) => batches(data, { batchSize: 20, epoch, shuffle: true }),
  });
  const end = readState(model);
  const isSame = (name: string): boolean => end[name]!.values.join() === start[name]!.values.join();
  return { end, same: Object.keys(end).filter(isSame) };
}

const LOUD = ['loud/dense/bias', 'loud/dense/kernel'];
const freeze: Method<Modality> = {
  name: 'freeze',
  plan: () => ({ coefficient: ({ name }) => (name.startsWith('loud/') ? null : 1) }),
};
const coefficient = (name: string, value: number): Method<Modality> => ({
  name,
  plan: () => ({ coefficient: (parameter) => (parameter.name.startsWith('loud/') ? value : 1) }),
});

describe('a plan', () => {
  it.each([
    ['before', [0, 1]],
    ['after', [1, 0]],
  ] as const)('freezes what another method edits, %s it', async (_, order) => {
    const seen = new Set<boolean>();
    const noise: Method<Modality> = {
      name: 'noise',
      edit: (gradients) =>
        gradients.map((gradient) => {
          if (gradient.parameter.name.startsWith('loud/')) seen.add(gradient.tensor === null);
          return { ...gradient, tensor: tf.onesLike(gradient.parameter.variable) };
        }),
    };
    const both = [freeze, noise];
    const { same } = await run(order.map((i) => both[i]!));
    expect(same.sort()).toEqual(LOUD);
    expect([...seen]).toEqual([true]);
  });

  it('freezes what another one suppresses or scales', async () => {
    for (const other of [coefficient('zero', 0), coefficient('half', 0.5)]) {
      expect((await run([other, freeze])).same.sort()).toEqual(LOUD);
      expect((await run([freeze, other])).same.sort()).toEqual(LOUD);
    }
  });

  it('suppresses with zeros, so that weights decay, and never multiplies by 0', async () => {
    const gradients: tf.Tensor[] = [];
    const watch: Method<Modality> = {
      name: 'watch',
      edit: (list) => {
        const found = list.find(({ parameter }) => parameter.name === 'loud/dense/kernel');
        gradients.push(tf.keep(tf.clone(found!.tensor!)));
        return list;
      },
    };
    const { end, same } = await run([coefficient('zero', 0), watch]);
    expect(same).toEqual(['loud/dense/bias']); // 0, which decays to 0.
    for (const gradient of gradients)
      expect([...gradient.dataSync()].every((value) => value === 0)).toBe(true);
    tf.dispose(gradients);
    const start = readState(toyModel(['loud', 'quiet'], 0));
    const ratio = end['loud/dense/kernel']!.values[0]! / start['loud/dense/kernel']!.values[0]!;
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(1);
  });

  it('multiplies with the plans of the others', async () => {
    const [twice, once] = [
      await run([coefficient('a', 0.5), coefficient('b', 0.25)]),
      await run([coefficient('a', 0.125)]),
    ];
    // Powers of two round nothing.
    expect(twice.end).toEqual(once.end);
  });

  it('says what is wrong with a coefficient, and with edits that leave something out', async () => {
    await expect(run([coefficient('broken', NaN)])).rejects.toThrow(
      /A plan gives loud\/dense\/kernel the coefficient NaN; it must be a finite number, or null/,
    );
    const short: Method<Modality> = { name: 'short', edit: (list) => list.slice(1) };
    await expect(run([short])).rejects.toThrow(/"short" gives 7 of 8 gradients back/);
  });
});

import * as tf from '@tensorflow/tfjs';
import type { EpochRecord, Method, Presence } from '@g2d/core';
import { loadTensorFlow } from '@g2d/native';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { readState, train } from '@g2d/trainer';
import { RunningMethods, TrainingContext, withStep } from '@g2d/trainer/internal';
import { beforeAll, describe, expect, it } from 'vitest';
import { toyBatches, toyModel, type Modality } from '../test/toy.js';
import { ogm, ogmGe, ogmGeWithNoise } from './ogm.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

const both = ['audio', 'visual'] as const;

/** A step in which the true class has probability 0.6 by audio and 0.4 by the image, on gradients of 2. */
async function edit(
  method: Method<Modality>,
  {
    epoch = 1,
    batchIndex = 0,
    gradient = (shape: number[]) => tf.fill(shape, 2) as tf.Tensor | null,
    present = {} as Presence<Modality>,
    sum = undefined as ((values: Float64Array | Float32Array) => void) | undefined,
  } = {},
) {
  const model = toyModel(both);
  const allReduce = { processes: sum ? 2 : 1, sum: sum ?? (() => {}) };
  const batches = async function* () {};
  const training = new TrainingContext<Modality>(
    { model, epochs: 10, batches, allReduce },
    { learningRate: 0 },
  );
  const running = new RunningMethods<Modality>([method]);
  await running.start(training);
  const inputs = { audio: tf.zeros([2, 4, 4, 1]), visual: tf.zeros([2, 4, 4, 1]) };
  const batch = { inputs, labels: tf.tensor1d([0, 0], 'int32'), ids: ['a', 'b'], present };
  const logits = (probability: number) =>
    tf.tile(tf.tensor2d([[Math.log(probability / (1 - probability)), 0]]), [2, 1]);
  const outputs = {
    features: { audio: tf.zeros<tf.Rank.R2>([2, 3]), visual: tf.zeros<tf.Rank.R2>([2, 3]) },
    logits: tf.zeros<tf.Rank.R2>([2, 2]),
    unimodalLogits: { audio: logits(0.6), visual: logits(0.4) },
  };
  const gradients = model.parameters.map((parameter) => {
    const { name, shape } = parameter.variable;
    return { parameter, name, tensor: gradient(shape) };
  });
  return withStep(training, running, { epoch, batchIndex, batch }, (step) => {
    const edited = running.edit(method, gradients, outputs, step);
    for (const { tensor } of edited) if (tensor) tf.keep(tensor);
    const named = Object.fromEntries(edited.map(({ parameter, tensor }) => [parameter.name, tensor]));
    return { edited: named, series: step.series };
  });
}

async function run(methods: readonly Method<Modality>[], epochs = 3, seed = 0) {
  const model = toyModel(both);
  const log: EpochRecord[] = [];
  const optimizer = { learningRate: 0.1, momentum: 0.9, weightDecay: 1e-4 };
  await train({
    model,
    methods,
    epochs,
    seed,
    optimizer,
    batches: toyBatches,
    onEpoch: (record) => void log.push(record),
  });
  return { state: readState(model), log };
}

describe('ogm', () => {
  it('scales the convolutions of the modality that is ahead, and nothing else', async () => {
    const { edited } = await edit(ogm({ alpha: 0.8 }));
    expect(Object.keys(edited)).toHaveLength(2 * 3 + 4);
    for (const [name, tensor] of Object.entries(edited)) {
      // κ = 1 − tanh(0.8 · 0.6 / 0.4)
      const factor = name === 'audio/conv/kernel' ? 0.166345 : 1;
      expectTensorClose(tensor!, tf.fill(tensor!.shape, 2 * factor), { atol: 2e-6 });
    }
  });

  it('scales more on request', async () => {
    const scaled = async (scope: 'conv' | 'encoder' | 'encoder+head') =>
      Object.entries((await edit(ogm({ alpha: 0.8, scope }))).edited)
        .filter(([, tensor]) => tensor!.dataSync()[0] !== 2)
        .map(([name]) => name);
    expect(await scaled('conv')).toEqual(['audio/conv/kernel']);
    expect(await scaled('encoder')).toEqual(['audio/conv/kernel', 'audio/bn/gamma', 'audio/bn/beta']);
    expect((await scaled('encoder+head')).slice(3)).toEqual(['head/audio/kernel', 'head/audio/bias']);
  });

  it('acts in its epochs, both ends inside', async () => {
    const acts: number[] = [];
    for (const epoch of [1, 2, 3, 4, 5]) {
      const { edited } = await edit(ogm({ alpha: 0.8, epochs: [2, 4] }), { epoch });
      if (edited['audio/conv/kernel']!.dataSync()[0] !== 2) acts.push(epoch);
    }
    expect(acts).toEqual([2, 3, 4]);
  });

  it('logs scores, ratios, and the coefficients that it applied', async () => {
    const method = ogm<Modality>({ alpha: 0.8, epochs: [1, 1] });
    const { scores, ratios, coefficients } = (await edit(method)).series;
    expect(scores!['audio']).toBeCloseTo(0.6, 6);
    expect(scores!['visual']).toBeCloseTo(0.4, 6);
    expect(ratios!['audio']).toBeCloseTo(1.5, 5);
    expect(coefficients!['audio']).toBeCloseTo(0.166345, 5);
    expect((await edit(method, { epoch: 2 })).series['coefficients']).toEqual({ audio: 1, visual: 1 });
  });

  it('passes over variables that another method froze', async () => {
    const { edited } = await edit(ogm({ alpha: 0.8 }), { gradient: () => null });
    expect(Object.values(edited)).toEqual(Array.from({ length: 10 }, () => null));
  });

  it('compares the samples that have the modality, and nobody where there is nothing to compare', async () => {
    // Audio has 0.6 in both samples: with one of them the score stays, with none it is not compared.
    const [one, none] = [
      { audio: tf.tensor1d([1, 0]) },
      { audio: tf.tensor1d([0, 0]), visual: tf.tensor1d([1, 1]) },
    ];
    const method = ogm<Modality>({ alpha: 0.8 });
    const partly = (await edit(method, { present: one })).series;
    expect(partly['scores']!['audio']).toBeCloseTo(0.6, 6);
    expect(partly['coefficients']!['audio']).toBeCloseTo(0.166345, 5);
    const { scores, ratios, coefficients } = (await edit(method, { present: none })).series;
    expect(scores).toEqual({ audio: NaN, visual: expect.closeTo(0.4, 6) });
    expect(ratios).toEqual({ audio: NaN, visual: NaN });
    expect(coefficients).toEqual({ audio: 1, visual: 1 });
  });

  it('compares the sums of all processes', async () => {
    // A second process with two samples: audio 0.2 in both, visual 0.8. Counts come as 3 numbers, sums with counts as 4.
    const sum = (values: Float64Array | Float32Array) =>
      (values.length === 4 ? [0.4, 2, 1.6, 2] : [2, 2, 2]).forEach((value, i) => (values[i]! += value));
    const { scores, coefficients } = (await edit(ogm<Modality>({ alpha: 0.8 }), { sum })).series;
    expect(scores!['audio']).toBeCloseTo(0.4, 6);
    expect(scores!['visual']).toBeCloseTo(0.6, 6);
    expect(coefficients!['audio']).toBe(1);
    expect(coefficients!['visual']).toBeCloseTo(0.166345, 5);
  });

  it('says what it does not accept', async () => {
    expect(() => ogm({ alpha: NaN })).toThrow(/`alpha` is NaN/);
    expect(() => ogm({ alpha: 1, epochs: [0, 50] })).toThrow(/`epochs.0` is 0; it must be at least 1/);
    expect(() => ogm({ alpha: 1, epochs: [3, 2] })).toThrow(
      /`epochs` is \[3,2\]; it must be \[first, last\], both counted from 1/,
    );
    const settings = { epochs: 1, optimizer: { learningRate: 1 }, batches: toyBatches };
    await expect(
      train({ model: toyModel(['audio']), methods: [ogm<'audio'>({ alpha: 1 })], ...settings }),
    ).rejects.toThrow(/"ogm" needs 2 modalities or more, but the model has 1: audio/);
  });

  it('trains otherwise than without it, inside of its epochs only', async () => {
    const [without, inside, outside] = [
      await run([]),
      await run([ogm({ alpha: 0.8 })]),
      await run([ogm({ alpha: 0.8, epochs: [4, 9] })]),
    ];
    expect(outside.state).toEqual(without.state);
    expect(inside.state).not.toEqual(without.state);
    expect(Object.keys(inside.log[0]!)).toEqual(expect.arrayContaining(['scores', 'ratios', 'coefficients']));
  });
});

describe('ogmGe', () => {
  it('adds noise of the gradients’ size to both modalities, before scaling', async () => {
    const noise: [string, readonly number[]][] = [];
    const method = ogmGeWithNoise<Modality>({ alpha: 0.8 }, (variable, shape) => {
      noise.push([variable, shape]);
      return tf.ones([...shape]);
    });
    const { edited } = await edit(method, {
      gradient: (shape) => tf.reshape(tf.range(0, tf.util.sizeFromShape(shape)), shape),
    });
    expect(noise).toEqual([
      ['audio/conv/kernel', [3, 3, 1, 3]],
      ['visual/conv/kernel', [3, 3, 1, 3]],
    ]);
    // 0 … 26: variance 27 · 28 / 12 = 63.
    const gradient = tf.range(0, 27);
    const expected = (factor: number) =>
      tf.reshape(tf.add(tf.mul(gradient, factor), Math.sqrt(63)), [3, 3, 1, 3]);
    expectTensorClose(edited['audio/conv/kernel']!, expected(0.16634539), { atol: 1e-5 });
    expectTensorClose(edited['visual/conv/kernel']!, expected(1), { atol: 1e-5 });
    expectTensorClose(edited['head/audio/bias']!, [0, 1], { atol: 0 });
  });

  it('draws anew in every step, for every variable, and outside of its epochs not at all', async () => {
    const drawn: string[] = [];
    const method = ogmGeWithNoise<Modality>({ alpha: 0.8, epochs: [2, 2] }, (variable, shape) => {
      drawn.push(variable);
      return tf.zeros([...shape]);
    });
    await run([method]);
    expect(drawn).toEqual(
      Array.from({ length: 2 }, () => ['audio/conv/kernel', 'visual/conv/kernel']).flat(),
    );
    const kernel = async (epoch: number, batchIndex = 0) => {
      const { edited } = await edit(ogmGe({ alpha: 0, seed: 0 }), {
        epoch,
        batchIndex,
        gradient: (shape) => tf.reshape(tf.range(0, tf.util.sizeFromShape(shape)), shape),
      });
      return edited;
    };
    const [first, second, next] = [await kernel(1), await kernel(2), await kernel(1, 1)];
    const values = [
      first['audio/conv/kernel']!,
      first['visual/conv/kernel']!,
      second['audio/conv/kernel']!,
      next['audio/conv/kernel']!,
    ].map((tensor) => tensor.dataSync()[5]);
    expect(new Set(values).size).toBe(4);
  });

  it('gives the same weights for the same seed, bit for bit, and leaves no tensor behind', async () => {
    const start = tf.memory().numTensors;
    await run([ogmGe({ alpha: 0.8, seed: 1 })], 1);
    const models = tf.memory().numTensors - start;
    const [first, second, other] = [
      await run([ogmGe({ alpha: 0.8, seed: 1 })]),
      await run([ogmGe({ alpha: 0.8, seed: 1 })]),
      await run([ogmGe({ alpha: 0.8, seed: 2 })]),
    ];
    expect(first.state).toEqual(second.state);
    expect(first.state).not.toEqual(other.state);
    // Each run leaves its model, however many steps it took.
    expect(tf.memory().numTensors).toBe(start + 4 * models);
  });

  it('takes its noise from the seed of the training, unless it is given one', async () => {
    const own = await run([ogmGe({ alpha: 0.8, seed: 1 })], 1, 5);
    expect((await run([ogmGe({ alpha: 0.8, seed: 1 })], 1, 6)).state).toEqual(own.state);
    const [first, again, other] = [
      await run([ogmGe({ alpha: 0.8 })], 1, 5),
      await run([ogmGe({ alpha: 0.8 })], 1, 5),
      await run([ogmGe({ alpha: 0.8 })], 1, 6),
    ];
    expect(again.state).toEqual(first.state);
    expect(other.state).not.toEqual(first.state);
  });
});

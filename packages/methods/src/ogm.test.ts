import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { deriveSeed, randomStream } from '@g2d/tensor-ops';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { readState, train, type EpochRecord, type Method, type Step, type Training } from '@g2d/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { toyBatches, toyModel, type Modality } from '../test/toy.js';
import { ogm, ogmGe, type OgmGeOptions } from './ogm.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

const both = ['audio', 'visual'] as const;

/** Gradients of 2 after a step in which the true class has probability 0.6 by audio and 0.4 by the image. */
function edit(
  method: Method<Modality>,
  {
    epoch = 1,
    batchIndex = 0,
    seed = 0,
    gradient = (shape: number[]) => tf.fill(shape, 2),
    present = {} as NonNullable<Step<Modality>['batch']['present']>,
    sum = undefined as ((values: Float64Array | Float32Array) => void) | undefined,
  } = {},
) {
  const model = toyModel(both);
  const random = (name: string) => randomStream(deriveSeed(seed, name));
  void method.onTrainStart?.({ model, epochs: 10, random } as Training<Modality>);
  const batch = { labels: tf.tensor1d([0, 0], 'int32'), ids: ['a', 'b'], present };
  const allReduce = { processes: 1, sum: sum ?? (() => {}) };
  const step = { epoch, batchIndex, model, batch, allReduce } as unknown as Step<Modality>;
  const logits = (probability: number) =>
    tf.tile(tf.tensor2d([[Math.log(probability / (1 - probability)), 0]]), [2, 1]);
  const features = { audio: tf.zeros<tf.Rank.R2>([2, 3]), visual: tf.zeros<tf.Rank.R2>([2, 3]) };
  const gradients = model.variables.map(({ name, shape }) => ({ name, tensor: gradient(shape) }));
  const edited = method.afterBackward!(gradients, step, {
    features,
    logits: tf.zeros([2, 2]),
    unimodalLogits: { audio: logits(0.6), visual: logits(0.4) },
  });
  // Names as in the model's state: TensorFlow.js renames the variables of a second model.
  const stable = [...model.state()].map(
    ([name, weight]) => [(weight.read() as tf.Variable).name, name] as const,
  );
  const names = new Map(stable);
  return Object.fromEntries(edited.map(({ name, tensor }) => [names.get(name)!, tensor]));
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
  it('scales the convolutions of the modality that is ahead, and nothing else', () => {
    const edited = edit(ogm({ alpha: 0.8 }));
    expect(Object.keys(edited)).toHaveLength(2 * 3 + 4);
    for (const [name, tensor] of Object.entries(edited)) {
      // κ = 1 − tanh(0.8 · 0.6 / 0.4)
      const factor = name === 'audio/conv/kernel' ? 0.166345 : 1;
      expectTensorClose(tensor!, tf.fill(tensor!.shape, 2 * factor), { atol: 2e-6 });
    }
  });

  it('scales more on request', () => {
    const scaled = (scope: 'conv' | 'encoder' | 'encoder+head') =>
      Object.entries(edit(ogm({ alpha: 0.8, scope })))
        .filter(([, tensor]) => tensor!.dataSync()[0] !== 2)
        .map(([name]) => name);
    expect(scaled('conv')).toEqual(['audio/conv/kernel']);
    expect(scaled('encoder')).toEqual(['audio/conv/kernel', 'audio/bn/gamma', 'audio/bn/beta']);
    expect(scaled('encoder+head').slice(3)).toEqual(['head/audio/kernel', 'head/audio/bias']);
  });

  it('acts in its epochs, both ends inside', () => {
    const acts = [1, 2, 3, 4, 5].filter((epoch) => {
      const edited = edit(ogm({ alpha: 0.8, epochs: [2, 4] }), { epoch });
      return edited['audio/conv/kernel']!.dataSync()[0] !== 2;
    });
    expect(acts).toEqual([2, 3, 4]);
  });

  it('logs scores, ratios, and the coefficients that it applied', () => {
    const method = ogm<Modality>({ alpha: 0.8, epochs: [1, 1] });
    edit(method);
    const { scores, ratios, coefficients } = method.stepLog!() as Record<string, Record<Modality, number>>;
    expect(scores!.audio).toBeCloseTo(0.6, 6);
    expect(scores!.visual).toBeCloseTo(0.4, 6);
    expect(ratios!.audio).toBeCloseTo(1.5, 5);
    expect(coefficients!.audio).toBeCloseTo(0.166345, 5);
    edit(method, { epoch: 2 });
    expect(method.stepLog!()['coefficients']).toEqual({ audio: 1, visual: 1 });
  });

  it('passes over variables that another method froze', () => {
    const edited = edit(ogm({ alpha: 0.8 }), { gradient: () => null as never });
    expect(Object.values(edited)).toEqual(Array.from({ length: 10 }, () => null));
  });

  it('compares the samples that have the modality, and nobody where there is nothing to compare', () => {
    // Audio has 0.6 in both samples: with one of them the score stays, with none it is not compared.
    const [one, none] = [
      { audio: tf.tensor1d([1, 0]) },
      { audio: tf.tensor1d([0, 0]), visual: tf.tensor1d([1, 1]) },
    ];
    const method = ogm<Modality>({ alpha: 0.8 });
    const series = () => method.stepLog!() as Record<string, Record<Modality, number>>;
    edit(method, { present: one });
    expect(series()['scores']!.audio).toBeCloseTo(0.6, 6);
    expect(series()['coefficients']!.audio).toBeCloseTo(0.166345, 5);
    edit(method, { present: none });
    expect(series()['scores']).toEqual({ audio: NaN, visual: expect.closeTo(0.4, 6) });
    expect(series()['ratios']).toEqual({ audio: NaN, visual: NaN });
    expect(series()['coefficients']).toEqual({ audio: 1, visual: 1 });
  });

  it('compares the sums of all processes', () => {
    // A second process with two samples: audio 0.2 in both, visual 0.8.
    const method = ogm<Modality>({ alpha: 0.8 });
    const other = [0.4, 2, 1.6, 2];
    edit(method, { sum: (values) => other.forEach((value, i) => (values[i]! += value)) });
    const { scores, coefficients } = method.stepLog!() as Record<string, Record<Modality, number>>;
    expect(scores!.audio).toBeCloseTo(0.4, 6);
    expect(scores!.visual).toBeCloseTo(0.6, 6);
    expect(coefficients!.audio).toBe(1);
    expect(coefficients!.visual).toBeCloseTo(0.166345, 5);
  });

  it('says what it does not accept', async () => {
    expect(() => ogm({ alpha: NaN })).toThrow(/`alpha` is NaN/);
    expect(() => ogm({ alpha: 1, epochs: [0, 50] })).toThrow(
      /`epochs` is \[0, 50\].*counted from 1.*\[1, 51\]/,
    );
    expect(() => ogm({ alpha: 1, epochs: [3, 2] })).toThrow(/`epochs` is \[3, 2\]/);
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
  it('adds noise of the gradients’ size to both modalities, before scaling', () => {
    const noise: [string, readonly number[]][] = [];
    const options: OgmGeOptions = {
      alpha: 0.8,
      seed: 0,
      noise: (variable, shape) => {
        noise.push([variable, shape]);
        return tf.ones([...shape]);
      },
    };
    const edited = edit(ogmGe(options), {
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
    const noise: OgmGeOptions['noise'] = (variable, shape) => {
      drawn.push(variable);
      return tf.zeros([...shape]);
    };
    await run([ogmGe({ alpha: 0.8, epochs: [2, 2], seed: 0, noise })]);
    expect(drawn).toEqual(
      Array.from({ length: 2 }, () => ['audio/conv/kernel', 'visual/conv/kernel']).flat(),
    );
    const kernel = (epoch: number, batchIndex = 0) =>
      edit(ogmGe({ alpha: 0, seed: 0 }), {
        epoch,
        batchIndex,
        gradient: (shape) => tf.reshape(tf.range(0, tf.util.sizeFromShape(shape)), shape),
      });
    const [first, second, next] = [kernel(1), kernel(2), kernel(1, 1)];
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

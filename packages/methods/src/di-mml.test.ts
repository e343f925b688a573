import * as tf from '@tensorflow/tfjs';
import type { Batch, EpochRecord, Step, Training } from '@g2d/core';
import { lateFusion } from '@g2d/fusion';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { readState } from '@g2d/trainer';
import { batches } from '@g2d/datasets';
import { beforeAll, describe, expect, it } from 'vitest';
import { data, modelWith, options, optimizer, run, type Modality } from '../test/dense-toy.js';
import { diMml } from './di-mml.js';
import { confidenceFused, diMmlFusion } from './di-mml-fusion.js';
import { effectiveDimensions, interactionLoss, ownDimensions } from './effective-dimensions.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('confidenceFused', () => {
  /** Two classes, the first of this probability. */
  const sure = (p: number) => tf.log(tf.tensor2d([[p, 1 - p]])) as tf.Tensor2D;

  it('weighs by confidence: the reference values', () => {
    const heads = [0.9, 0.5, 0.7].map((p) => ({ logits: sure(p) }));
    expectTensorClose(confidenceFused(heads, 1).weights, [0.40176, 0.269308, 0.328933], { atol: 1e-5 });
    const { logits, weights } = confidenceFused(
      [{ logits: sure(0.9) }, { logits: sure(0.5), present: tf.tensor1d([0]) }],
      1,
    );
    expectTensorClose(weights, [1, 0], { atol: 1e-6 });
    expectTensorClose(logits, [Math.log(0.9), Math.log(0.1)], { atol: 1e-5 });
  });
});

describe('ownDimensions', () => {
  it('are above the own mean, and not above the other’s', () => {
    // Means 0.5 and 0.4.
    expect(ownDimensions([0.9, 0.8, 0.2, 0.1], [0.9, 0.1, 0.5, 0.1])).toEqual([1]);
    expect(ownDimensions([0.5, 0.5], [0, 1])).toEqual([]);
  });
});

describe('interactionLoss', () => {
  const step = (present?: Step<Modality>['batch']['present']) =>
    ({
      model: { modalities: ['loud', 'quiet'] },
      batch: { present, ids: ['a', 'b'] },
      allReduce: { processes: 1, sum: () => {} },
      allRows: (values: tf.Tensor) => values,
    }) as unknown as Step<Modality>;
  const settings = { temperature: 2, reference: 'paper' } as const;
  const accuracy = { loud: [0.9, 0.1], quiet: [0.1, 0.9] };

  it('teaches each what the other has, by hand', () => {
    const features = {
      loud: tf.tensor2d([
        [1, 0],
        [0, 0],
      ]),
      quiet: tf.tensor2d([
        [4, 0],
        [2, 0],
      ]),
    };
    // On dimension 0 loud teaches: products (4, 0), (2, 0) over τ = 2. On dimension 1 all are 0: log 2.
    const expected = (Math.log(Math.exp(2) + 1) - 2 + Math.log(Math.exp(1) + 1)) / 2 + Math.log(2);
    expectTensorClose(interactionLoss(features, step(), { ...settings, accuracy })!, [expected], {
      atol: 1e-5,
    });
    const variable = tf.variable(features.loud);
    const { grads } = tf.variableGrads(
      () => interactionLoss({ ...features, loud: variable as never }, step(), { ...settings, accuracy })!,
      [variable],
    );
    // What teaches has no gradient: that of loud is of dimension 1, where quiet is 0.
    expectTensorClose(grads[variable.name]!, [0, 0, 0, 0], { atol: 1e-6 });
  });

  it('is nothing without dimensions, or as the released code log B; and leaves out who is not there', () => {
    const features = { loud: tf.ones<tf.Rank.R2>([2, 2]), quiet: tf.ones<tf.Rank.R2>([2, 2]) };
    const none = { accuracy: { loud: [0, 0], quiet: [0, 0] } };
    expect(interactionLoss(features, step(), { ...settings, ...none })).toBeUndefined();
    expectTensorClose(
      interactionLoss(features, step(), { ...settings, ...none, reference: 'official' })!,
      [2 * Math.log(2)],
      { atol: 1e-6 },
    );
    // One pair is left, which is sure of itself.
    const alone = interactionLoss(features, step({ loud: tf.tensor1d([1, 0]) }), { ...settings, accuracy });
    expectTensorClose(alone!, [0], { atol: 1e-6 });
    const nobody = interactionLoss(features, step({ loud: tf.zeros([2]) }), { ...settings, accuracy });
    expectTensorClose(nobody!, [0], { atol: 1e-6 });
  });
});

describe('effectiveDimensions', () => {
  /** A model whose features are its inputs. */
  const of = async (
    samples: [label: number, feature: number[]][],
    reference: 'paper' | 'official' = 'paper',
  ) => {
    const features = tf.tensor2d(samples.map(([, feature]) => feature));
    const everySample = async function* () {
      yield {
        inputs: {},
        labels: tf.tensor1d(
          samples.map(([label]) => label),
          'int32',
        ),
        ids: samples.map(() => 'a'),
      };
    };
    const model = {
      modalities: ['m'],
      forward: () => ({ features: { m: features }, unimodalLogits: { m: tf.zeros([samples.length, 3]) } }),
    };
    return effectiveDimensions({ model, everySample } as unknown as Training<'m'>, reference);
  };
  const samples: [number, number[]][] = [
    [0, [0, 5]],
    [0, [1, 5]],
    [1, [9, 5]],
    [2, [20, 5]],
  ];

  it('counts who is nearest to the mean of its class, by hand', async () => {
    // Dimension 0: means 0.5, 9, 20, all right. Dimension 1: all means are 5, the first class is the nearest.
    expect((await of(samples)).m).toEqual([1, 0.5]);
  });

  it('leaves a class without samples out, where the released code finds no dimension', async () => {
    expect((await of(samples.slice(0, 3))).m).toEqual([1, 2 / 3]);
    expect((await of(samples.slice(0, 3), 'official')).m).toEqual([0, 0]);
  });
});

describe('diMml', () => {
  const given = { temperature: 10, interactionAfter: 1, fusionEpochs: 2 } as const;
  const every = () => batches(data, { batchSize: 20 }) as AsyncIterable<Batch<Modality>>;

  async function trained(own: Parameters<typeof diMml>[0], { epochs = 4, everySample = every } = {}) {
    const model = modelWith(diMmlFusion(options, { temperature: 1 }));
    const states = [readState(model)];
    const log: EpochRecord[] = [];
    await run<Modality>(model, diMml(own), {
      epochs,
      everySample,
      optimizer: {
        ...optimizer,
        momentum: 0.9,
        weightDecay: 0.01,
        schedule: { type: 'step', every: 1, ratio: 0.5 },
      },
      onEpoch: (record) => {
        states.push(readState(model));
        log.push(record);
      },
    });
    return { states, log };
  }

  it('trains encoders and their heads, then the head on all features alone', async () => {
    const { states, log } = await trained(given);
    expect(log.map(({ stage }) => stage)).toEqual(['encoders', 'encoders', 'fusion', 'fusion']);
    // The schedule begins anew.
    expect(log.map(({ learningRate }) => learningRate)).toEqual([0.1, 0.05, 0.1, 0.05]);
    const isFusion = (name: string) => name.startsWith('fusion/');
    for (const [epoch, moves] of [
      [2, (name: string) => !isFusion(name)],
      [4, isFusion],
    ] as const)
      for (const name of Object.keys(states[0]!))
        expect(
          states[epoch]![name]!.values.join() !== states[epoch - 1]![name]!.values.join(),
          `${name} in epoch ${epoch}`,
        ).toBe(moves(name));
    expect(Object.keys(log[0]!.loss)).not.toContain('interaction');
    const {
      total,
      loud,
      quiet,
      'shared.loud': a,
      'shared.quiet': b,
      interaction,
    } = log[1]!.loss as Record<string, number>;
    expect(total).toBeCloseTo(loud! + quiet! + a! + b! + interaction!, 4);
  });

  it('looks at every sample once, and not where nobody would use it', async () => {
    let passes = 0;
    const counted = () => (passes++, every());
    await trained(given, { everySample: counted });
    expect(passes).toBe(2);
    await trained({ ...given, interactionAfter: 2 }, { everySample: counted });
    await trained({ ...given, interactionAfter: 7 }, { everySample: counted });
    expect(passes).toBe(2);
    const { log } = await trained({ ...given, interactionAfter: 0 }, { everySample: counted });
    expect(passes).toBe(4);
    expect(Object.keys(log[0]!.loss)).toContain('interaction');
  });

  it('learns, leaves no tensors, works with one modality, and is exported', async () => {
    const model = modelWith(diMml<Modality>(given).fusion!(options));
    const before = tf.memory().numTensors;
    await run<Modality>(model, diMml({ ...given, fusionEpochs: 4 }), { epochs: 10, everySample: every });
    expect(tf.memory().numTensors).toBe(before);
    const alone = modelWith(
      diMmlFusion<'loud'>({ widths: { loud: 5 }, classes: 3, seed: 0 }, { temperature: 1 }),
    );
    const log = await run(alone, diMml<'loud'>(given), { epochs: 3, everySample: every });
    expect(log.every(({ loss }) => Object.values(loss).every(Number.isFinite))).toBe(true);
    const inputs = { loud: tf.randomNormal([2, 4]), quiet: tf.randomNormal([2, 4]) };
    const [z] = model.toLayersModel().predict([inputs.loud, inputs.quiet]) as tf.Tensor[];
    expectTensorClose(z!, [...model.forward({ inputs }, { training: false }).logits.dataSync()], {
      atol: 1e-5,
    });
  });

  it('says what does not fit', async () => {
    await expect(trained(given, { epochs: 2 })).rejects.toThrow(
      /trains its last 2 epochs .* but the training has 2/,
    );
    expect(() => diMml<Modality>(given).fusion!({ ...options, widths: { loud: 5, quiet: 4 } })).toThrow(
      /not equally wide: loud 5, quiet 4/,
    );
    await expect(
      run(modelWith(lateFusion(options)), diMml<Modality>(given), { epochs: 3, everySample: every }),
    ).rejects.toThrow(/Build the model's fusion with the method's own/);
    expect(() => diMml({ temperature: 0 })).toThrow(/`temperature` is 0/);
  });
});

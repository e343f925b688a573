// Methods that are made of teachers: UMT and UME.
import * as tf from '@tensorflow/tfjs';
import { batches, missingModalities } from '@g2d/datasets';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EpochRecord, Method } from '@g2d/core';
import { evaluate, frozenTeachers, readState, teacherEnsemble, train } from '@g2d/trainer';
import { toyDataset, toyModel, type Modality } from '../../trainer/test/toy.js';
import { g2dDistillation } from './g2d-distillation.js';
import { modalityPrioritization } from './modality-prioritization.js';
import { ume } from './ume.js';
import { umt } from './umt.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const both = ['loud', 'quiet'] as const;
const data = toyDataset('train', 40, 1);
const teachersOf = () => frozenTeachers({ loud: toyModel(['loud'], 7), quiet: toyModel(['quiet'], 7) });

async function run(methods: readonly Method<Modality>[], epochs = 2) {
  const model = toyModel(both, 0);
  const log: EpochRecord[] = [];
  const { predict } = await train({
    model,
    methods,
    epochs,
    teachers: teachersOf(),
    optimizer: { learningRate: 0.1, momentum: 0.9, weightDecay: 1e-4 },
    batches: (epoch) => batches(data, { batchSize: 20, epoch, shuffle: true }),
    onEpoch: (record) => void log.push(record),
  });
  return { state: readState(model), log, predict };
}

describe('umt', () => {
  it('is the task’s loss and λ times the distance of the features, by either reduction', async () => {
    const [mean, sum] = [await run([umt({ lambda: 3 })], 1), await run([umt({ reduction: 'sum' })], 1)];
    for (const [{ log }, lambda] of [
      [mean, 3],
      [sum, 1],
    ] as const) {
      const { total, student, feature, ...others } = log[0]!.loss as Record<string, number>;
      expect(others).toEqual({});
      expect(total).toBeCloseTo(student! + lambda * feature!, 5);
    }
    // Features are 5 wide: λ = 5 of the mean is λ = 1 of the sum, up to rounding.
    const five = await run([umt({ lambda: 5 })], 1);
    for (const [name, { values }] of Object.entries(sum.state)) {
      expectTensorClose(tf.tensor1d([...five.state[name]!.values]), [...values], { atol: 1e-5 });
    }
  });

  it('is the loss of G2D with β = 0, with one λ for each modality too, and stacks with SMP', async () => {
    const lambda = { loud: 2, quiet: 0 };
    const [named, plain] = [
      await run([umt({ lambda })]),
      await run([g2dDistillation({ alpha: lambda, beta: 0 })]),
    ];
    expect(named.state).toEqual(plain.state);
    const smp = modalityPrioritization<Modality>({ phaseEpochs: [1, 1], scope: 'encoder' });
    const { log } = await run([umt(), smp]);
    expect(log.map(({ coefficients }) => coefficients)).toContainEqual({ loud: 1, quiet: 1 });
  });

  it('says what it does not accept', () => {
    expect(() => umt({ lambda: -1 })).toThrow(/`lambda` is -1/);
    expect(() => umt<Modality>({ lambda: { loud: 1, quiet: NaN } })).toThrow(
      /`lambda.quiet` is NaN; it must be a number/,
    );
    expect(() => umt({ reduction: 'max' as never })).toThrow(/`reduction` is "max"/);
  });
});

describe('ume', () => {
  it('predicts as the teachers together, over the modalities that a sample has, without training', async () => {
    const { state, predict } = await run([ume({ average: 'probabilities' })], 0);
    expect(state).toEqual(readState(toyModel(both, 0)));
    const partly = missingModalities(toyDataset('test', 30, 2), { rate: 0.3, seed: 0 });
    const [own, expected] = [
      await evaluate(predict, partly),
      await evaluate(teacherEnsemble(teachersOf(), { average: 'probabilities' }), partly),
    ];
    expect(own).toEqual(expected);
  });

  it('averages logits unless it is told otherwise', () => {
    tf.tidy(() => {
      const outputs = (logits: number[]) => ({ logits: tf.tensor2d([logits]), features: tf.zeros([1, 1]) });
      const pass = {
        model: { modalities: both },
        task: 'classification',
        batch: {},
        teacherOutputs: { loud: outputs([2, 0]), quiet: outputs([0, 1]) },
      };
      const { logits, unimodalLogits } = ume<Modality>().forward!(pass as never, undefined);
      expectTensorClose(logits, [1, 0.5], { atol: 0 });
      expectTensorClose(unimodalLogits.quiet, [0, 1], { atol: 0 });
    });
  });

  it('refuses epochs, a run without teachers, and another average', async () => {
    await expect(run([ume()], 3)).rejects.toThrow(/the training has 3 epochs\. Set `epochs` to 0/);
    const settings = { epochs: 0, optimizer: { learningRate: 1 }, batches: async function* () {} };
    await expect(train({ model: toyModel(both, 0), methods: [ume()], ...settings })).rejects.toThrow(
      /"ume" needs a trained teacher/,
    );
    expect(() => ume({ average: 'median' as never })).toThrow(/`average` is "median"/);
  });
});

import * as tf from '@tensorflow/tfjs';
import { encodedOf, type Batch, type Training } from '@g2d/core';
import { concatFusion, gatedFusion, lateFusion } from '@g2d/fusion';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { readState } from '@g2d/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { modelWith, options, optimizer, run, type Modality } from '../test/dense-toy.js';
import { pmr } from './pmr.js';
import { pmrWeights } from './pmr-weights.js';
import { classPrototypes, prototypeLogits, updatedPrototypes } from './prototypes.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('pmrWeights', () => {
  it('are the reference values of the paper', () => {
    // ρ = σ_0 / σ_1 of 0.4, 0.8, 1.3 and 3.
    expect(pmrWeights({ a: 0.4, v: 1 }, 'paper')).toEqual({ a: 1, v: 0 });
    expect(pmrWeights({ a: 0.8, v: 1 }, 'paper')).toEqual({ a: 0.25, v: 0 });
    expect(pmrWeights({ a: 1.3, v: 1 }, 'paper')).toEqual({ a: 0, v: expect.closeTo(0.3, 12) });
    expect(pmrWeights({ a: 3, v: 1 }, 'paper')).toEqual({ a: 0, v: 1 });
    expect(pmrWeights({ a: 0.8, v: 1 }, 'official')).toEqual({ a: 1, v: 0 });
    expect(pmrWeights({ a: 1, v: 1 }, 'official')).toEqual({ a: 0, v: 0 });
    expect(pmrWeights({ a: 0.5, v: 1, t: 0.8 }, 'paper')).toEqual({ a: 1, v: 0, t: 0.25 });
    expect(pmrWeights({ a: NaN, v: 1 }, 'paper')).toEqual({ a: 0, v: 0 });
  });
});

describe('prototypeLogits', () => {
  it('are distances, not squares, with a gradient at distance 0', () => {
    const prototypes = tf.tensor2d([
      [0, 0],
      [3, 4],
    ]);
    const features = tf.variable(tf.tensor2d([[0, 0]]));
    expectTensorClose(prototypeLogits(features, prototypes), [0, -5], { atol: 1e-5 });
    const { grads } = tf.variableGrads(() => tf.sum(prototypeLogits(features, prototypes)), [features]);
    // Towards the far one: (3, 4) / 5.
    expectTensorClose(grads[features.name]!, [0.6, 0.8], { atol: 1e-5 });
  });
});

describe('prototypes', () => {
  const found = (sums: number[], counts: number[]) => ({
    a: { sums: Float64Array.from(sums), counts: Float64Array.from(counts), width: 2 },
  });

  it('move with momentum; a class without a sample keeps its own', () => {
    const first = updatedPrototypes(undefined, found([2, 4, 0, 0, 3, 3], [2, 0, 1]), 0);
    // The second class has none yet: the mean of all three samples, (5, 7) / 3.
    expectTensorClose(first.a, [1, 2, 5 / 3, 7 / 3, 3, 3], { atol: 1e-6 });
    const next = updatedPrototypes(first, found([3, 3, 4, 4, 0, 0], [1, 1, 0]), 0.25);
    expectTensorClose(next.a, [0.25 + 2.25, 0.5 + 2.25, 5 / 12 + 3, 7 / 12 + 3, 3, 3], { atol: 1e-6 });
    const nobody = updatedPrototypes(undefined, found([0, 0], [0]), 0);
    expectTensorClose(nobody.a, [0, 0], { atol: 0 });
  });

  it('are of a share of the batches, of present samples, in inference mode', async () => {
    const model = modelWith(lateFusion(options));
    const statistics = readState(model)['loud/bn/moving_mean'];
    const made: string[] = [];
    const batches = async function* (epoch: number): AsyncGenerator<Batch<Modality>> {
      for (let i = 0; ; i++) {
        made.push(`${epoch}/${i}`);
        yield {
          inputs: { loud: tf.ones([2, 4]), quiet: tf.ones([2, 4]) },
          labels: tf.tensor1d([0, 2], 'int32'),
          ids: ['a', 'b'],
          present: { quiet: tf.tensor1d([1, 0]) },
        };
      }
    };
    const training = { model, batches, batchesPerEpoch: 30, allReduce: { processes: 1, sum: () => {} } };
    const sums = await classPrototypes(training as unknown as Training<Modality>, { epoch: 4, share: 0.1 });
    expect(made).toEqual(['4/0', '4/1', '4/2']);
    expect([...sums.loud.counts]).toEqual([3, 0, 3]);
    expect([...sums.quiet.counts]).toEqual([3, 0, 0]);
    expect(readState(model)['loud/bn/moving_mean']).toEqual(statistics);
    const { features } = model.forward(
      { inputs: { loud: tf.ones([1, 4]), quiet: tf.ones([1, 4]) } },
      { training: false },
    );
    const means = updatedPrototypes(undefined, sums, 0);
    expectTensorClose(tf.slice(means.loud, [0, 0], [1, 5]), [...features.loud.dataSync()], { atol: 1e-6 });
  });

  it('are of what the encoders give, not of what gated fusion makes of it', () => {
    const model = modelWith(gatedFusion({ ...options, hidden: 7 }));
    const inputs = { loud: tf.ones([1, 4]), quiet: tf.ones([1, 4]) };
    const outputs = model.forward({ inputs }, { training: false });
    expect(outputs.features.loud.shape).toEqual([1, 7]);
    expectTensorClose(
      encodedOf(outputs).loud,
      [...model.encode('loud', inputs.loud, { training: false }).dataSync()],
      { atol: 1e-6 },
    );
  });
});

describe('pmr', () => {
  const end = async (method: Parameters<typeof run<Modality>>[1]) => {
    const model = modelWith(concatFusion(options));
    const log = await run(model, method, { epochs: 3, optimizer: { ...optimizer, momentum: 0.9 } });
    return { weights: readState(model), log };
  };

  it('is joint training bit for bit with strength 0 and outside of its window', async () => {
    const { weights } = await end({ name: 'joint' });
    expect((await end(pmr({ alpha: 0 }))).weights).toEqual(weights);
    expect((await end(pmr({ epochs: [4, 5] }))).weights).toEqual(weights);
    expect((await end(pmr({}))).weights).not.toEqual(weights);
  });

  it('adds the loss of the modality that is behind, in its window', async () => {
    const { log } = await end(pmr({ alpha: 2, epochs: [1, 2], reference: 'official' }));
    const weights = log.map((record) => record['prototypeWeights'] as { loud: number; quiet: number });
    // `loud` is ahead in every step.
    expect(weights[1]).toEqual({ loud: 0, quiet: 2 });
    expect(weights[2]).toEqual({ loud: 0, quiet: 0 });
    const { total, student, 'prototype.quiet': own } = log[1]!.loss as Record<string, number>;
    expect(total).toBeCloseTo(student! + 2 * own!, 4);
  });

  it('keeps the modality that is ahead uncertain in the first epochs, with the paper’s regularizer', async () => {
    const entropy = { weight: 0.5, epochs: [2, 2] as [number, number] };
    const { log } = await end(pmr({ entropy }));
    const plain = await end(pmr({}));
    expect(log[0]!.loss).toEqual(plain.log[0]!.loss);
    const { total, student, 'prototype.quiet': own } = log[1]!.loss as Record<string, number>;
    const { quiet } = log[1]!['prototypeWeights'] as { quiet: number };
    expect(quiet).toBeGreaterThan(0);
    // −μ β H, and H is at most log 3.
    const term = total! - student! - own! * quiet;
    expect(term).toBeLessThan(0.05);
    expect(() => pmr({ reference: 'official', entropy })).toThrow(
      /`entropy` is .*; it must be left out with "reference" "official"/,
    );
  });

  it('leaves no tensors, and says what it needs', async () => {
    const model = modelWith(concatFusion(options));
    const before = tf.memory().numTensors;
    await run(model, pmr({}), { epochs: 2 });
    expect(tf.memory().numTensors).toBe(before);
    await expect(run(model, pmr({}), { batchesPerEpoch: undefined })).rejects.toThrow(
      /Give the training `batchesPerEpoch`/,
    );
    await expect(run(model, pmr({}), { task: 'regression' })).rejects.toThrow(/"pmr" is for classification/);
    const alone = modelWith(lateFusion({ widths: { loud: 5 }, classes: 3, seed: 0 }));
    await expect(run(alone, pmr({}))).rejects.toThrow(/"pmr" needs 2 modalities or more/);
    expect(() => pmr({ share: 0 })).toThrow(/`share` is 0/);
  });
});

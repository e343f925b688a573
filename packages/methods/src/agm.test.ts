import * as tf from '@tensorflow/tfjs';
import { concatFusion, lateFusion } from '@g2d/fusion';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { readState } from '@g2d/trainer';
import { beforeAll, describe, expect, it } from 'vitest';
import { modelWith, options, optimizer, run } from '../test/dense-toy.js';
import { agm } from './agm.js';
import { agmCoefficients, agmRatios } from './agm-coefficients.js';
import { coalitionsOf, shapleyParts } from './shapley.js';
import { trueClassLoss } from './true-class-loss.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('agmRatios and agmCoefficients', () => {
  it('are the reference values of two modalities', () => {
    const ratios = agmRatios({ a: 0.7, v: 1.5 });
    const targets = agmRatios({ a: 0.9, v: 1.2 });
    expect(ratios.a).toBeCloseTo(2.225541, 6);
    expect(ratios.v).toBeCloseTo(0.449329, 6);
    expect(targets.a).toBeCloseTo(1.349859, 6);
    const coefficients = agmCoefficients({ ratios, targets }, { alpha: 1.5 });
    expect(coefficients.a).toBeCloseTo(0.268871, 6);
    expect(coefficients.v).toBeCloseTo(1.548418, 6);
    expect(agmCoefficients({ ratios, targets }, { alpha: 1.5, cap: 0.1 }).v).toBeCloseTo(Math.exp(0.15), 12);
  });

  it('compare three by their mean, and leave out what nobody has', () => {
    // Mean 2, k / (k − 1) = 1.5.
    expect(agmRatios({ a: 1, b: 2, c: 3 })).toEqual({ a: Math.exp(1.5), b: 1, c: Math.exp(-1.5) });
    const scores = { a: 1, b: NaN, c: 3 };
    expect(agmRatios(scores)).toEqual({ a: Math.exp(2), b: NaN, c: Math.exp(-2) });
    const targets = agmRatios({ a: 0, b: 5, c: 0 }, scores);
    expect(targets).toEqual({ a: 1, b: NaN, c: 1 });
    expect(agmCoefficients({ ratios: agmRatios(scores), targets }, { alpha: 1 }).b).toBe(1);
    expect(agmRatios({ a: 1, b: NaN })).toEqual({ a: 1, b: NaN });
  });
});

describe('shapleyParts', () => {
  it('is half of what a modality adds alone and beside the other one, by hand', () => {
    const F = (...row: number[]) => tf.tensor2d([row]);
    const parts = shapleyParts(['a', 'v'], { 'a+v': F(10, 2), a: F(4, 1), v: F(3, 5) });
    // ½ [10 − 3 + 4], ½ [2 − 5 + 1].
    expectTensorClose(parts.a, [5.5, -1], { atol: 1e-6 });
    expectTensorClose(parts.v, [4.5, 3], { atol: 1e-6 });
  });

  it('adds up to the logits of all three', () => {
    const names = ['a', 'b', 'c'] as const;
    const sets = coalitionsOf(names).map((those) => those.join('+'));
    expect(sets).toHaveLength(7);
    expect(sets[0]).toBe('a+b+c');
    const coalitions = Object.fromEntries(sets.map((those, i) => [those, tf.tensor2d([[i * i + 1, 7 - i]])]));
    const parts = shapleyParts(names, coalitions);
    expectTensorClose(tf.addN(names.map((m) => parts[m])), [1, 7], { atol: 1e-5 });
    // ⅓ (F(abc) − F(bc) + F(a)) + ⅙ (F(ab) − F(b) + F(ac) − F(c))
    const f = (those: string) => coalitions[those]!.dataSync()[0]!;
    const expected = (f('a+b+c') - f('b+c') + f('a')) / 3 + (f('a+b') - f('b') + f('a+c') - f('c')) / 6;
    expect(parts.a.dataSync()[0]).toBeCloseTo(expected, 5);
  });
});

describe('trueClassLoss', () => {
  it('has a floor of the probability', () => {
    const labels = tf.tensor1d([0, 1], 'int32');
    const logits = tf.tensor2d([
      [0, 0],
      [100, 0],
    ]);
    expectTensorClose(trueClassLoss(labels, logits), [Math.LN2, 100], { atol: 1e-4 });
    expectTensorClose(trueClassLoss(labels, logits, 1e-8), [Math.LN2, -Math.log(1e-8)], { atol: 1e-4 });
  });
});

describe('agm', () => {
  const settings = { epochs: 3, optimizer: { ...optimizer, momentum: 0.9 } };
  const end = async (method: ReturnType<typeof agm>, fusion = concatFusion) => {
    const model = modelWith(fusion(options));
    const log = await run(model, method as never, settings);
    return { weights: readState(model), log };
  };

  it('is joint training bit for bit with strength 0, and before its window', async () => {
    const { weights } = await end({ name: 'joint' });
    expect((await end(agm({ alpha: 0 }))).weights).toEqual(weights);
    expect((await end(agm({ alpha: 2, epochs: [4, 9] }))).weights).toEqual(weights);
    expect((await end(agm({ alpha: 2 }))).weights).not.toEqual(weights);
  });

  it('applies 1 after its window, or as the released code the last factors', async () => {
    const factors = async (afterWindow: 'one' | 'keep-last') => {
      const { log } = await end(agm({ alpha: 2, epochs: [2, 2], afterWindow }));
      return log.map((record) => record['coefficients'] as { loud: number; quiet: number });
    };
    const [before, , after] = await factors('one');
    expect(before).toEqual({ loud: 1, quiet: 1 });
    expect(after).toEqual({ loud: 1, quiet: 1 });
    const kept = (await factors('keep-last'))[2]!;
    expect(kept.loud).not.toBe(1);
    // The scores go on meanwhile: it is the last step of epoch 2 that counts, not the mean.
    const { log } = await end(agm({ alpha: 2, epochs: [2, 2], afterWindow: 'keep-last' }));
    expect(Object.keys(log[2]!)).toEqual(
      expect.arrayContaining(['scores', 'runningScores', 'ratios', 'targets']),
    );
  });

  it('clips all gradients where the one that it looks at is too large', async () => {
    const clip = { threshold: 1e-6, maxNorm: 1e-3 };
    const start = readState(modelWith(concatFusion(options)));
    const model = modelWith(concatFusion(options));
    await run(model, agm({ alpha: 1, clip }), { batchSize: 60 });
    const moved = Object.entries(readState(model))
      .filter(([name]) => !name.includes('moving'))
      .flatMap(([name, { values }]) => Array.from(values, (value, i) => value - start[name]!.values[i]!));
    // Learning rate 0.1.
    expect(Math.hypot(...moved)).toBeCloseTo(1e-4, 6);
    const wrong = agm({ alpha: 1, clip: { ...clip, parameter: 'fusion/nothing' } });
    await expect(run(modelWith(lateFusion(options)), wrong)).rejects.toThrow(
      /gradient of fusion\/nothing, which the model does not have/,
    );
  });

  it('leaves no tensors, and needs two modalities and classes', async () => {
    const model = modelWith(lateFusion(options));
    const before = tf.memory().numTensors;
    await run(model, agm({ alpha: 1, cap: 7 }));
    expect(tf.memory().numTensors).toBe(before);
    await expect(run(model, agm({ alpha: 1 }), { task: 'regression' })).rejects.toThrow(
      /"agm" is for classification/,
    );
    const alone = modelWith(lateFusion({ widths: { loud: 5 }, classes: 3, seed: 0 }));
    await expect(run(alone, agm({ alpha: 1 }))).rejects.toThrow(/"agm" needs 2 modalities or more/);
    expect(() => agm({ alpha: -1 })).toThrow(/`alpha` is -1/);
  });
});

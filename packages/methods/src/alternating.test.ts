// Methods with a step of their own.
import * as tf from '@tensorflow/tfjs';
import { concatFusion, lateFusion } from '@g2d/fusion';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { evaluate, inferenceOf, readState } from '@g2d/trainer';
import { batches } from '@g2d/datasets';
import { beforeAll, describe, expect, it } from 'vitest';
import { both, data, modelWith, options, run, type Modality } from '../test/dense-toy.js';
import { mla } from './mla.js';
import { mmPareto } from './mm-pareto.js';
import { paretoScale, paretoWeights } from './pareto.js';
import { separateHeads } from './separate-heads.js';
import { sharedHeadFusion } from './shared-head.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('paretoWeights', () => {
  it('takes half of each without conflict, and the shortest combination with it, by hand', () => {
    expect(paretoWeights({ multimodal: 1, cross: 0.5, unimodal: 4 })).toEqual({ a: 0.5, b: 0.5 });
    // (1, 0) and (−1, 2): a = (5 + 1) / (1 + 5 + 2).
    const products = { multimodal: 1, cross: -1, unimodal: 5 };
    const weights = paretoWeights(products);
    expect(weights).toEqual({ a: 0.75, b: 0.25 });
    // h = (1, 1), the sum (0, 2): 1.5 · 2 / √2 on h.
    expect(paretoScale(products, weights, 1.5)).toBeCloseTo(2.12132, 5);
    // Without conflict h is the sum, and only γ lengthens it: (1, 0) and (0.5, 2).
    const agreeing = { multimodal: 1, cross: 0.5, unimodal: 4.25 };
    expect(paretoScale(agreeing, paretoWeights(agreeing), 1.5)).toBeCloseTo(1.5, 12);
  });

  it('stays within the released bounds, and with a combination of length 0', () => {
    expect(paretoWeights({ multimodal: 0, cross: 0, unimodal: 1 }).a).toBe(0.999);
    expect(paretoWeights({ multimodal: 1, cross: 0, unimodal: 0 }).a).toBe(0.001);
    expect(paretoScale({ multimodal: 1, cross: -1, unimodal: 1 }, { a: 0.5, b: 0.5 }, 1.5)).toBe(1.5);
  });
});

describe('mmPareto', () => {
  const fusion = () => separateHeads(concatFusion(options), lateFusion(options));

  it('is the step computed apart: encoders combined, heads plain, statistics moved once', async () => {
    const [model, expected] = [modelWith(fusion()), modelWith(fusion())];
    const log = await run(model, mmPareto(), { batchSize: 60 });
    for await (const batch of batches<Modality>(data, { batchSize: 60, epoch: 1 })) {
      const { inputs, labels } = batch;
      const hot = tf.oneHot(labels, 3);
      const gradients = (loss: (outputs: ReturnType<typeof expected.forward>) => tf.Tensor) =>
        tf.variableGrads(
          () =>
            loss(expected.forward({ inputs }, { training: true, runningStatistics: 'keep' })) as tf.Scalar,
          [...expected.variables],
        ).grads;
      const fused = gradients(({ logits }) => tf.losses.softmaxCrossEntropy(hot, logits));
      const own = gradients(({ unimodalLogits }) =>
        tf.addN(both.map((m) => tf.losses.softmaxCrossEntropy(hot, unimodalLogits[m]))),
      );
      const flat = (grads: tf.NamedTensorMap, m: Modality) =>
        tf.concat(
          expected.variables
            .filter(({ name }) => name.startsWith(`${m}/`))
            .map(({ name }) => tf.reshape(grads[name]!, [-1])),
        );
      const number = (x: tf.Tensor) => x.dataSync()[0]!;
      const weights = Object.fromEntries(
        both.map((m) => {
          const [mm, uni] = [flat(fused, m), flat(own, m)];
          return [
            m,
            paretoWeights({
              multimodal: number(tf.dot(mm, mm)),
              cross: number(tf.dot(mm, uni)),
              unimodal: number(tf.dot(uni, uni)),
            }),
          ];
        }),
      );
      expected.variables.forEach((variable, i) => {
        const { name } = variable;
        const modality = both.find((m) => name.startsWith(`${m}/`));
        let gradient: tf.Tensor;
        if (modality) {
          const { a, b } = weights[modality]!;
          const [mm, uni] = [fused[name]!, own[name]!];
          const h = tf.add(tf.mul(mm, 2 * a), tf.mul(uni, 2 * b));
          const lambda = Math.max(1, number(tf.norm(tf.add(mm, uni))) / number(tf.norm(h)));
          gradient = tf.mul(h, 1.5 * lambda);
        } else {
          gradient = (fused[name] ?? own[name])!;
        }
        expectTensorClose(model.variables[i]!, tf.sub(variable, tf.mul(gradient, 0.1)), { atol: 2e-6 });
      });
      expected.forward({ inputs }, { training: true });
    }
    const [state, once] = [readState(model), readState(expected)];
    expect([...state['loud/bn/moving_mean']!.values]).toEqual([...once['loud/bn/moving_mean']!.values]);
    expect(Object.keys(log[0]!.loss)).toEqual(['total', 'student', 'loud', 'quiet']);
    expect(log[0]!['multimodalWeight']).toMatchObject({ loud: expect.any(Number) });
  });

  it('learns, leaves no tensors, and refuses a model without separate heads', async () => {
    const model = modelWith(fusion());
    const before = tf.memory().numTensors;
    const log = await run(model, mmPareto(), { epochs: 8 });
    expect(tf.memory().numTensors).toBe(before);
    expect(log.at(-1)!.train['fused']).toBeGreaterThan(90);
    await expect(run(modelWith(lateFusion(options)), mmPareto())).rejects.toThrow(/`separateHeads/);
    await expect(run(modelWith(concatFusion(options)), mmPareto())).rejects.toThrow(/needs a head for each/);
    expect(() => mmPareto({ gamma: 0 })).toThrow(/`gamma` is 0/);
  });
});

describe('mla', () => {
  const fusion = (weights?: { loud: number; quiet: number }) =>
    sharedHeadFusion({ modalities: both, width: 5, classes: 3, seed: 0, ...(weights && { weights }) });

  it('takes a step for each modality, and the second finds the head updated: computed apart', async () => {
    const [model, expected] = [modelWith(fusion()), modelWith(fusion())];
    await run(model, mla(), { batchSize: 60 });
    for await (const { inputs, labels } of batches<Modality>(data, { batchSize: 60, epoch: 1 })) {
      for (const modality of both) {
        const own = expected.variables.filter(
          ({ name }) => name.startsWith(modality) || name.startsWith('head/'),
        );
        const { grads } = tf.variableGrads(() => {
          const outputs = expected.forward({ inputs }, { training: true, runningStatistics: 'keep' });
          const logits = outputs.unimodalLogits[modality];
          return tf.losses.softmaxCrossEntropy(tf.oneHot(labels, 3), logits) as tf.Scalar;
        }, own);
        for (const variable of own) variable.assign(tf.sub(variable, tf.mul(grads[variable.name]!, 0.1)));
      }
      expected.forward({ inputs }, { training: true });
    }
    expected.variables.forEach((variable, i) =>
      expectTensorClose(model.variables[i]!, variable, { atol: 2e-6 }),
    );
    expect(readState(model)['quiet/bn/moving_mean']!.values.some((mean) => Math.abs(mean) > 1e-4)).toBe(true);
  });

  it('learns, in the order that is asked for, and weighs by entropy at inference', async () => {
    const model = modelWith(fusion());
    const before = tf.memory().numTensors;
    const log = await run(model, mla({ order: ['quiet', 'loud'] }), { epochs: 8 });
    expect(tf.memory().numTensors).toBe(before);
    expect(Object.keys(log[0]!.loss)).toEqual(['total', 'quiet', 'loud']);
    const { accuracy } = await evaluate(inferenceOf(model), data);
    expect(accuracy['fused']).toBeGreaterThan(90);
    await expect(run(modelWith(lateFusion(options)), mla())).rejects.toThrow(/needs one head that all/);
    await expect(run(modelWith(fusion()), mla<Modality>({ order: ['loud'] }))).rejects.toThrow(
      /`order` of MLA has loud; it must have each of loud, quiet once/,
    );
  });

  it('has the entropy weights of the reference values', () => {
    // u_a (2, 0, 0), u_v (0.5, 0.2, 0): H 0.665573 and 1.077161, weights 0.601469 and 0.398531.
    const shared = sharedHeadFusion({ modalities: both, width: 3, classes: 3, seed: 0 });
    const [kernel, bias] = shared.layers[0]!.layer.weights;
    kernel!.write(tf.eye(3));
    bias!.write(tf.zeros([3]));
    const features = { loud: tf.tensor2d([[2, 0, 0]]), quiet: tf.tensor2d([[0.5, 0.2, 0]]) };
    const expected = [0.601469 * 2 + 0.398531 * 0.5, 0.398531 * 0.2, 0];
    expectTensorClose(shared.apply(features, { training: false }).logits, expected, { atol: 1e-5 });
    // One sample: over the batch axis every probability is 1 and no modality is surer.
    const batchWise = sharedHeadFusion({
      modalities: both,
      width: 3,
      classes: 3,
      seed: 0,
      weights: 'batch-entropy',
    });
    batchWise.layers[0]!.layer.setWeights([tf.eye(3), tf.zeros([3])]);
    expectTensorClose(batchWise.apply(features, { training: false }).logits, [1.25, 0.1, 0], { atol: 1e-5 });
    const fixed = sharedHeadFusion({
      modalities: both,
      width: 3,
      classes: 3,
      seed: 0,
      weights: { loud: 0.55, quiet: 0.45 },
    });
    fixed.layers[0]!.layer.setWeights([tf.eye(3), tf.zeros([3])]);
    expectTensorClose(fixed.apply(features, { training: false }).logits, [1.325, 0.09, 0], { atol: 1e-5 });
    const absent = { loud: tf.tensor1d([0]) };
    expectTensorClose(shared.apply(features, { training: false, present: absent }).logits, [0.5, 0.2, 0], {
      atol: 1e-5,
    });
  });
});

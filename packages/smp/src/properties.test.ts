// What holds for any number of modalities, any confidences and every optimizer.
import * as tf from '@tensorflow/tfjs';
import { perModality, type NamedGradient } from '@g2d/core';
import { Adam, AdamW, randomStream, SGD } from '@g2d/tensor-ops';
import { beforeAll, describe, expect, it } from 'vitest';
import { byPrefix } from './modality-of.js';
import {
  SequentialModalityPrioritization,
  type OptimizerGradients,
} from './sequential-modality-prioritization.js';
import type { SmpOptions } from './smp-options.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const create = (k: number, options: Partial<SmpOptions<string>> = {}) => {
  const modalities = Array.from({ length: k }, (_, m) => `m${m}`);
  const modalityOf = byPrefix(perModality(modalities, (modality) => `${modality}/`));
  const phaseEpochs = modalities.map(() => 2);
  return { modalities, smp: new SequentialModalityPrioritization({ modalityOf, phaseEpochs, ...options }) };
};

describe('permuting modalities', () => {
  const random = randomStream(5);
  const cases = Array.from({ length: 300 }, () => {
    const k = 1 + random.integer(5);
    // Few values, so that ties and absences are frequent.
    const draw = () =>
      Array.from({ length: k }, () => (random.integer(6) === 0 ? null : random.integer(4) / 4));
    const order = [...random.permutation(k)];
    return { k, order, steps: Array.from({ length: 2 * k + 1 }, (_, e) => ({ epoch: e + 1, rho: draw() })) };
  });

  it.each<Partial<SmpOptions<string>>>([
    {},
    { schedule: 'released' },
    { suppression: 'partial' },
    { ranking: 'epoch' },
    { ranking: 'epoch', suppression: 'partial', schedule: 'released' },
  ])('permutes κ: %j', (options) => {
    for (const { k, order, steps } of cases) {
      const { modalities, smp } = create(k, options);
      const permuted = create(k, options).smp;
      const moved = (m: string) => modalities[order[modalities.indexOf(m)]!]!;
      for (const { epoch, rho } of steps) {
        const confidence = perModality(modalities, (m) => rho[modalities.indexOf(m)]!);
        smp.update({ epoch, confidence });
        permuted.update({
          epoch,
          confidence: Object.fromEntries(modalities.map((m) => [moved(m), confidence[m]!])),
        });
        const expected = Object.fromEntries(modalities.map((m) => [moved(m), smp.coefficients[m]!]));
        expect(permuted.coefficients).toEqual(expected);
        // Somebody always trains.
        expect(Math.max(...Object.values(smp.coefficients))).toBe(1);
      }
    }
  });

  it('permutes κ with confidences of the whole data set', () => {
    for (const { k, order, steps } of cases) {
      const { modalities } = create(k);
      const rho = steps[0]!.rho.map((value) => value ?? 0);
      const dataset = perModality(modalities, (m) => rho[modalities.indexOf(m)]!);
      const moved = perModality(modalities, (m) => rho[order[modalities.indexOf(m)]!]!);
      const [plain, permuted] = [
        create(k, { ranking: { dataset } }),
        create(k, { ranking: { dataset: moved } }),
      ];
      for (const { epoch } of steps) {
        for (const { smp } of [plain, permuted]) smp.update({ epoch });
        const expected = perModality(
          modalities,
          (m) => plain.smp.coefficients[modalities[order[modalities.indexOf(m)]!]!]!,
        );
        expect(permuted.smp.coefficients).toEqual(expected);
      }
    }
  });
});

/** Takes steps; the optimizers of TensorFlow.js and ours alike. */
interface Stepper {
  applyGradients(gradients: OptimizerGradients & readonly NamedGradient[]): void;
}
const optimizers: Record<string, (variables: tf.Variable[]) => Stepper> = {
  'tf.train.sgd': () => tf.train.sgd(0.1),
  'tf.train.momentum': () => tf.train.momentum(0.1, 0.9),
  'tf.train.adam': () => tf.train.adam(0.1),
  SGD: (variables) => new SGD(variables, { learningRate: 0.1, momentum: 0.9, weightDecay: 0.1 }),
  Adam: (variables) => new Adam(variables, { learningRate: 0.1, weightDecay: 0.1 }),
  AdamW: (variables) => new AdamW(variables, { learningRate: 0.1 }),
};

/** k encoders of two variables and a shared head, on inputs of `batch` rows. */
function problem(k: number, modalities: readonly string[]) {
  const uniform = (shape: number[], seed: number) => tf.randomUniform(shape, -1, 1, 'float32', seed);
  const suffix = Math.random();
  const variables = modalities.flatMap((modality, m) => [
    tf.variable(uniform([3, 4], 10 + m), true, `${modality}/kernel/${suffix}`),
    tf.variable(uniform([4], 20 + m), true, `${modality}/bias/${suffix}`),
  ]);
  variables.push(tf.variable(uniform([4, 2], 30), true, `head/${suffix}`));
  const inputs = modalities.map((_, m) => uniform([5, 3], 40 + m));
  const target = uniform([5, 2], 50);
  const loss = () => {
    const features = inputs.map((x, m) =>
      tf.tanh(
        tf.add(
          tf.matMul(x as tf.Tensor2D, variables[2 * m] as tf.Tensor as tf.Tensor2D),
          variables[2 * m + 1]!,
        ),
      ),
    );
    const output = tf.matMul(tf.addN(features) as tf.Tensor2D, variables[2 * k] as tf.Tensor as tf.Tensor2D);
    return tf.mean(tf.squaredDifference(output, target)) as tf.Scalar;
  };
  return { variables, inputs, loss };
}
const values = (variables: readonly tf.Variable[]) => variables.map((v) => [...v.dataSync()]);

describe.each(Object.entries(optimizers))('%s', (_, makeOptimizer) => {
  it.each([1, 2, 3])('equals plain training bit for bit while all κ are 1, %i modalities', (k) => {
    const run = (withSmp: boolean) => {
      const { modalities, smp } = create(k, {
        phaseEpochs: Array.from({ length: k }, (_, j) => (j < k - 1 ? 0 : 1)),
      });
      const { variables, loss } = problem(k, modalities);
      const optimizer = makeOptimizer(variables);
      for (let epoch = 1; epoch <= 5; epoch++) {
        smp.update({ epoch, confidence: perModality(modalities, (m) => Number(m.slice(1)) / 10) });
        tf.tidy(() => {
          const { grads } = tf.variableGrads(loss, withSmp ? smp.activeVariables(variables) : variables);
          const gradients = variables.map(({ name }) => ({ name, tensor: grads[name]! }));
          optimizer.applyGradients(withSmp ? smp.modulate(grads, variables) : gradients);
        });
      }
      return values(variables);
    };
    expect(run(true)).toEqual(run(false));
  });

  it('freezes bit-identically before and after a modality had its turn', () => {
    // m2, m1 and m0 in turn get two epochs each, then all: κ = 0 also follows on steps that left momentum behind.
    const { modalities, smp } = create(3, { onZero: 'freeze', phaseEpochs: [2, 2, 2] });
    const { variables, loss } = problem(3, modalities);
    const optimizer = makeOptimizer(variables);
    for (let epoch = 1; epoch <= 6; epoch++) {
      smp.update({ epoch, confidence: { m0: 0.9, m1: 0.5, m2: 0.1 } });
      const before = values(variables);
      tf.tidy(() => {
        const { grads } = tf.variableGrads(loss, smp.activeVariables(variables));
        optimizer.applyGradients(smp.modulate(grads, variables));
      });
      const after = values(variables);
      variables.forEach(({ name }, i) => {
        const modality = name.split('/')[0]!;
        const frozen = smp.coefficients[modality] === 0;
        expect(frozen).toBe(modality !== 'head' && epoch <= 4 && modality !== (epoch <= 2 ? 'm2' : 'm1'));
        const same = after[i]!.every((value, n) => Object.is(value, before[i]![n]));
        expect(same, `${name} in epoch ${epoch}`).toBe(frozen);
      });
    }
  });

  it('gives the same whether the tape computed the suppressed gradients or not', () => {
    const run = (all: boolean) => {
      const { modalities, smp } = create(2);
      const { variables, loss } = problem(2, modalities);
      const optimizer = makeOptimizer(variables);
      for (let epoch = 1; epoch <= 4; epoch++) {
        smp.update({ epoch, confidence: { m0: 0.9, m1: 0.1 } });
        tf.tidy(() => {
          const { grads } = tf.variableGrads(loss, all ? variables : smp.activeVariables(variables));
          optimizer.applyGradients(smp.modulate(grads, variables));
        });
      }
      return values(variables);
    };
    expect(run(true)).toEqual(run(false));
  });

  it('goes on over batches that lack a modality', () => {
    const { modalities, smp } = create(2, { onZero: 'freeze' });
    const { variables, inputs, loss } = problem(2, modalities);
    inputs[0] = tf.zerosLike(inputs[0]!);
    const optimizer = makeOptimizer(variables);
    const before = values(variables);
    smp.update({ epoch: 1, confidence: { m0: null, m1: 0.7 } });
    tf.tidy(() => {
      const { grads } = tf.variableGrads(loss, smp.activeVariables(variables));
      optimizer.applyGradients(smp.modulate(grads, variables));
    });
    const after = values(variables);
    expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
    expect(after[2]).not.toEqual(before[2]);
    expect(after.flat().every(Number.isFinite)).toBe(true);
  });
});

import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectNoLeak, expectTensorClose } from '../testing.js';
import { AdamW } from './adam-w.js';
import { Adam } from './adam.js';
import type { Optimizer } from '@g2d/core';
import { SGD } from './sgd.js';

const gradient = (variable: tf.Variable, value: number | null) => ({
  name: variable.name,
  tensor: value === null ? null : tf.fill(variable.shape, value),
});

/** Two variables, of which the second has a factor of its own. */
function pair(make: (variables: readonly tf.Variable[]) => Optimizer, factor: number) {
  const [plain, scaled] = [tf.variable(tf.tensor1d([1])), tf.variable(tf.tensor1d([1]))];
  const optimizer = make([plain, scaled]);
  optimizer.learningRateFactorOf = (name) => (name === scaled.name ? factor : 1);
  const step = (value: number) => optimizer.applyGradients([gradient(plain, value), gradient(scaled, value)]);
  return { plain, scaled, optimizer, step };
}

// Made by test/golden/optimizers.py with PyTorch in float64.
const golden = JSON.parse(
  readFileSync(new URL('../../test/golden/optimizers.json', import.meta.url), 'utf8'),
) as {
  readonly shapes: readonly number[][];
  readonly start: readonly number[][];
  readonly learningRates: readonly number[];
  readonly gradients: readonly (readonly (number[] | null)[])[];
  readonly runs: readonly {
    readonly optimizer: 'SGD' | 'Adam' | 'AdamW';
    readonly options: Readonly<Record<string, number | boolean>>;
    readonly values: readonly (readonly (readonly number[])[])[];
  }[];
};
const optimizers = { SGD, Adam, AdamW } as unknown as Readonly<
  Record<string, new (variables: readonly tf.Variable[], options: object) => Optimizer>
>;

describe.each(['tensorflow', 'wasm', 'cpu'] as const)('learningRateFactorOf on %s', (backend) => {
  beforeAll(async () => {
    await loadTensorFlow({ backend, quiet: true });
  });

  it('scales what SGD takes off a variable, not its velocity', () => {
    // lr 0.1, μ 0.9, λ 0.01; θ0 = 1, g = 2. Factor 1: θ1 = 1 − 0.1 · 2.01 = 0.799, then v = 3.81699, θ2 = 0.417301.
    // Factor 0.5: θ1 = 1 − 0.05 · 2.01 = 0.8995, then v = 0.9 · 2.01 + 2 + 0.008995 = 3.817995, θ2 = 0.70860025.
    const { plain, scaled, optimizer, step } = pair(
      (variables) => new SGD(variables, { learningRate: 0.1, momentum: 0.9, weightDecay: 0.01 }),
      0.5,
    );
    step(2);
    step(2);
    expectTensorClose(plain, [0.417301], { atol: 1e-6 });
    expectTensorClose(scaled, [0.70860025], { atol: 1e-6 });
    expectTensorClose(optimizer.getState()[`${scaled.name}/velocity`]!, [3.817995], { atol: 1e-5 });
    optimizer.dispose();
  });

  it('scales Adam’s step, and AdamW’s decay with it', () => {
    const adam = pair((variables) => new Adam(variables, { learningRate: 0.1 }), 0.25);
    adam.step(7);
    expectTensorClose(adam.plain, [0.9], { atol: 1e-6 });
    expectTensorClose(adam.scaled, [0.975], { atol: 1e-6 });
    // θ (1 − lr λ) − lr: 1 − 0.05 − 0.1, and with a quarter of lr 1 − 0.0125 − 0.025.
    const adamW = pair((variables) => new AdamW(variables, { learningRate: 0.1, weightDecay: 0.5 }), 0.25);
    adamW.step(7);
    expectTensorClose(adamW.plain, [0.85], { atol: 1e-6 });
    expectTensorClose(adamW.scaled, [0.9625], { atol: 1e-6 });
  });

  it('can change between steps; 0 keeps the variable while its velocity goes on', () => {
    const { scaled, optimizer, step } = pair(
      (variables) => new SGD(variables, { learningRate: 1, momentum: 0.5 }),
      0,
    );
    step(1);
    step(1);
    expect(scaled.dataSync()[0]).toBe(1);
    optimizer.learningRateFactorOf = () => 2;
    step(1);
    // v = 1, 1.5, 1.75.
    expectTensorClose(scaled, [1 - 2 * 1.75], { atol: 1e-6 });
    optimizer.dispose();
  });

  it.each(golden.runs.map((run) => [`${run.optimizer} ${JSON.stringify(run.options)}`, run] as const))(
    'makes a parameter group as PyTorch has them: %s',
    (_, { optimizer: kind, options, values }) => {
      const start = () => golden.start.map((value, i) => tf.variable(tf.tensor(value, golden.shapes[i])));
      const make = (variables: readonly tf.Variable[]) =>
        new optimizers[kind]!(variables, { ...options, learningRate: 1 });
      const theta = start();
      const [, alone] = start() as [tf.Variable, tf.Variable];
      const [together, own] = [make(theta), make([alone])];
      // The first variable is at PyTorch's rates, the second at twice these.
      together.learningRateFactorOf = (name) => (name === theta[0]!.name ? 0.5 : 1);
      values.forEach(([expected], t) => {
        together.learningRate = own.learningRate = 2 * golden.learningRates[t]!;
        const [a, b] = golden.gradients[t]!.map((value, i) => value && tf.tensor(value, golden.shapes[i]));
        together.applyGradients([
          { name: theta[0]!.name, tensor: a! },
          { name: theta[1]!.name, tensor: b! },
        ]);
        own.applyGradients([{ name: alone.name, tensor: b! }]);
        expectTensorClose(theta[0]!, expected!, { atol: 1e-6, rtol: 1e-6 });
        expect(theta[1]!.dataSync()).toEqual(alone.dataSync());
      });
      together.dispose();
      own.dispose();
    },
  );

  it.each(['SGD', 'Adam', 'AdamW'])('changes nothing if a factor of %s is wrong, and names it', (kind) => {
    const { plain, scaled, step } = pair(
      (variables) => new optimizers[kind]!(variables, { learningRate: 0.1, weightDecay: 0.1 }),
      NaN,
    );
    expect(() => step(1)).toThrow(`\`learningRateFactorOf\` gives NaN for "${scaled.name}"`);
    expectTensorClose(plain, [1], {});
    expectTensorClose(scaled, [1], {});
  });

  it('leaves no tensors behind', () => {
    const { optimizer, plain, scaled } = pair(
      (variables) => new SGD(variables, { learningRate: 0.1, momentum: 0.9 }),
      0.5,
    );
    const gradients = [gradient(plain, 1), gradient(scaled, 1)];
    optimizer.applyGradients(gradients);
    expectNoLeak(() => optimizer.applyGradients(gradients));
    optimizer.dispose();
  });
});

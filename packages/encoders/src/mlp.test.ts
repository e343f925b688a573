import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { expectNoLeak } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { mlp } from './mlp.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

const sizes = { name: 'shape', inputShape: [4], seed: 3, hidden: [5, 3], features: 2 } as const;

describe('mlp', () => {
  it('is dense and ReLU for each hidden layer, then dense alone, in plain numbers', () => {
    const model = mlp({ ...sizes, hidden: [...sizes.hidden] });
    // Biases that are not 0, so that they count.
    for (const weight of model.weights)
      if (weight.originalName.endsWith('bias')) weight.write(tf.fill(weight.shape as number[], 0.25));
    const weights = Object.fromEntries(
      model.weights.map((weight) => [
        weight.originalName,
        (weight.read() as tf.Tensor).arraySync() as number[][],
      ]),
    );
    const linear = (x: number[], layer: string): number[] =>
      (weights[`${layer}/bias`] as unknown as number[]).map(
        (bias, to) =>
          bias + x.reduce((sum, value, from) => sum + value * weights[`${layer}/kernel`]![from]![to]!, 0),
      );
    const relu = (x: number[]) => x.map((value) => Math.max(0, value));
    const input = [
      [1, -2, 0.5, 3],
      [-1, 0.25, 4, -3],
      [0, 0, 0, 0],
    ];
    const expected = input.map((x) => linear(relu(linear(relu(linear(x, 'shape/0')), 'shape/2')), 'shape/4'));
    const features = (model.apply(tf.tensor2d(input)) as tf.Tensor).arraySync() as number[][];
    expect(features.flat().some((value) => value < 0)).toBe(true);
    features.flat().forEach((value, i) => expect(value).toBeCloseTo(expected.flat()[i]!, 5));
    const x = tf.tensor2d(input);
    expectNoLeak(() => model.apply(x, { training: true }));
  });

  it('numbers its layers as a Sequential does, with dropout after each hidden layer where it is wanted', () => {
    const names = (dropout: number) =>
      mlp({ ...sizes, hidden: [...sizes.hidden], dropout }).layers.map((layer) => [
        layer.name.split('/')[1],
        layer.getClassName(),
      ]);
    expect(names(0).slice(1)).toEqual([
      ['0', 'Dense'],
      ['1', 'Activation'],
      ['2', 'Dense'],
      ['3', 'Activation'],
      ['4', 'Dense'],
    ]);
    expect(names(0.5).slice(1)).toEqual([
      ['0', 'Dense'],
      ['1', 'Activation'],
      ['2', 'Dropout'],
      ['3', 'Dense'],
      ['4', 'Activation'],
      ['5', 'Dropout'],
      ['6', 'Dense'],
    ]);
  });

  it('drops in training alone', () => {
    const model = mlp({ name: 'shape', inputShape: [40], seed: 0, dropout: 0.5 });
    const x = tf.ones([2, 40]);
    const run = (training: boolean) => (model.apply(x, { training }) as tf.Tensor).dataSync();
    expect(run(true)).not.toEqual(run(true));
    expect(run(false)).toEqual(run(false));
    expect(run(false)).toHaveLength(2 * 128);
  });

  it('without hidden layers is one linear map', () => {
    const model = mlp({ name: 'shape', inputShape: [4], seed: 0, hidden: [], features: 3 });
    const [kernel] = model.getWeights() as [tf.Tensor];
    const x = tf.tensor2d([[1, 2, -3, 4]]);
    expect([...(model.apply(x) as tf.Tensor).dataSync()]).toEqual([...tf.matMul(x, kernel).dataSync()]);
  });

  it('has gradients for every variable', () => {
    const model = mlp({ ...sizes, hidden: [16, 16] });
    const { grads } = tf.variableGrads(
      () =>
        tf.sum(
          tf.square(
            model.apply(tf.randomNormal([8, 4], 0, 1, 'float32', 1), { training: true }) as tf.Tensor,
          ),
        ) as tf.Scalar,
    );
    const norms = model.trainableWeights.map(
      (weight) => tf.norm(grads[(weight.read() as tf.Variable).name]!).dataSync()[0]!,
    );
    expect(norms).toHaveLength(6);
    for (const norm of norms) expect(norm).toBeGreaterThan(0);
  });

  it.each([
    [{ inputShape: [4, 1] as never }, /`inputShape` of mlp is \[4,1\]; expected \[D\]/],
    [{ inputShape: [null] as never }, /`inputShape` of mlp is \[null\]; expected \[D\]/],
    [{ hidden: [0] }, /hidden/],
    [{ hidden: [2.5] }, /hidden/],
    [{ features: 0 }, /features/],
    [{ dropout: 1 }, /dropout/],
    [{ dropout: -0.1 }, /dropout/],
  ])('refuses %o', (options, message) => {
    expect(() => mlp({ ...sizes, hidden: [5], ...options })).toThrow(message);
  });
});

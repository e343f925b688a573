import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { orderedGradients } from './gradients.js';
import { SGD } from './sgd.js';
import { expectTensorClose } from './testing.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const gradient = (variable: tf.Variable, value: number) => ({
  name: variable.name,
  tensor: tf.fill(variable.shape, value),
});

describe('SGD', () => {
  it('moves as PyTorch defines momentum and weight decay', () => {
    // lr 0.1, μ 0.9, λ 0.01; θ0 = 1, g = 2:
    // v1 = 2 + 0.01 = 2.01, θ1 = 0.799; v2 = 0.9·2.01 + 2 + 0.00799 = 3.81699, θ2 = 0.417301.
    const theta = tf.variable(tf.tensor1d([1]));
    const optimizer = new SGD([theta], { learningRate: 0.1, momentum: 0.9, weightDecay: 0.01 });
    optimizer.applyGradients([gradient(theta, 2)]);
    expectTensorClose(theta, [0.799], { atol: 1e-6 });
    optimizer.applyGradients([gradient(theta, 2)]);
    expectTensorClose(theta, [0.417301], { atol: 1e-6 });
  });

  it('keeps state by name: a skipped variable does not shift the others', () => {
    const [a, b] = [tf.variable(tf.tensor1d([0])), tf.variable(tf.tensor1d([0, 0]))];
    const optimizer = new SGD([a, b], { learningRate: 1, momentum: 0.5 });
    optimizer.applyGradients([gradient(a, 1), gradient(b, 10)]);
    optimizer.applyGradients([{ name: a.name, tensor: null }, gradient(b, 10)]);
    optimizer.applyGradients([gradient(a, 1), gradient(b, 10)]);
    expectTensorClose(a, [-(1 + 1.5)], { atol: 1e-6 });
    expectTensorClose(b, [-(10 + 15 + 17.5), -(10 + 15 + 17.5)], { atol: 1e-5 });
  });

  it('leaves a null entry bit-identical, and lets momentum and decay move a zero gradient', () => {
    const [frozen, zero] = [tf.variable(tf.tensor1d([0.3])), tf.variable(tf.tensor1d([0.3]))];
    const optimizer = new SGD([frozen, zero], { learningRate: 0.1, momentum: 0.9, weightDecay: 0.1 });
    optimizer.applyGradients([gradient(frozen, 1), gradient(zero, 1)]);
    const before = frozen.dataSync()[0];
    optimizer.applyGradients([{ name: frozen.name, tensor: null }, gradient(zero, 0)]);
    expect(frozen.dataSync()[0]).toBe(before);
    expect(zero.dataSync()[0]).toBeLessThan(before as number);
  });

  it('frees its buffers', () => {
    const theta = tf.variable(tf.tensor1d([1]));
    const g = gradient(theta, 1);
    const before = tf.memory().numTensors;
    const optimizer = new SGD([theta], { learningRate: 0.1, momentum: 0.9 });
    optimizer.applyGradients([g]);
    expect(tf.memory().numTensors).toBe(before + 1);
    optimizer.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('names a gradient it does not know, and impossible settings', () => {
    const theta = tf.variable(tf.tensor1d([1]), true, 'theta');
    const optimizer = new SGD([theta], { learningRate: 0.1 });
    expect(() => optimizer.applyGradients([{ name: 'other', tensor: null }])).toThrow(/"other".*not one of/);
    expect(() => optimizer.applyGradients([{ name: 'theta', tensor: tf.zeros([2]) }])).toThrow(
      /`theta` has shape \[2\]/,
    );
    expect(() => new SGD([theta], { learningRate: -1 })).toThrow(/`learningRate` is -1/);
  });
});

describe('orderedGradients', () => {
  it('has one entry per variable in their order, null where the tape gave none', () => {
    const [a, b] = [tf.variable(tf.scalar(1)), tf.variable(tf.scalar(2))];
    const { grads } = tf.variableGrads(() => tf.square(b) as tf.Scalar);
    expect(orderedGradients(grads, [a, b]).map(({ name, tensor }) => [name, tensor?.dataSync()[0]])).toEqual([
      [a.name, undefined],
      [b.name, 4],
    ]);
  });
});

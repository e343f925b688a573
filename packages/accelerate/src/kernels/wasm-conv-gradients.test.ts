import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomStream } from '@g2d/tensor-ops';
import { registerTrainingKernels } from './register.js';

const random = randomStream(11);
const numbers = (size: number) => Float32Array.from({ length: size }, () => random.normal());

interface Case {
  readonly input: [number, number, number, number];
  readonly filter: [number, number, number, number];
  readonly strides: [number, number];
  readonly pad: 'valid' | 'same';
}

const cases: Case[] = [
  { input: [3, 7, 7, 2], filter: [3, 3, 2, 4], strides: [1, 1], pad: 'valid' },
  { input: [3, 7, 7, 2], filter: [3, 3, 2, 4], strides: [1, 1], pad: 'same' },
  { input: [2, 8, 9, 3], filter: [3, 2, 3, 5], strides: [2, 2], pad: 'valid' },
  { input: [2, 8, 9, 3], filter: [5, 3, 3, 2], strides: [2, 3], pad: 'same' },
  // The window does not reach the last rows: 10 − 3 is no multiple of 4.
  { input: [2, 10, 10, 1], filter: [3, 3, 1, 2], strides: [4, 4], pad: 'valid' },
  { input: [1, 5, 5, 1], filter: [1, 1, 1, 3], strides: [2, 2], pad: 'same' },
  { input: [2, 7, 7, 4], filter: [7, 7, 4, 3], strides: [1, 1], pad: 'valid' },
];

const gradients = (
  { input, filter, strides, pad }: Case,
  x: Float32Array,
  w: Float32Array,
  weights: (size: number) => Float32Array,
) => {
  const [dx, dw] = tf.grads((a, b) => {
    const y = tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, strides, pad);
    return tf.sum(tf.mul(y, tf.tensor(weights(y.size), y.shape)));
  })([tf.tensor(x, input), tf.tensor(w, filter)]);
  return [dx!.dataSync(), dw!.dataSync()];
};

describe('convolution gradients on wasm', () => {
  beforeAll(async () => {
    await loadTensorFlow({ backend: 'wasm', quiet: true });
    registerTrainingKernels();
  });
  afterAll(() => {
    expect(tf.getBackend()).toBe('wasm');
  });

  for (const example of cases) {
    const { input, filter, strides, pad } = example;
    it(`equal those of the JavaScript backend: ${input} * ${filter}, stride ${strides}, ${pad}`, async () => {
      const x = numbers(input.reduce((a, b) => a * b));
      const w = numbers(filter.reduce((a, b) => a * b));
      const weights = (size: number) => Float32Array.from({ length: size }, (_, i) => Math.sin(i + 1));
      const actual = gradients(example, x, w, weights);
      await tf.setBackend('cpu');
      const expected = gradients(example, x, w, weights);
      await tf.setBackend('wasm');
      actual.forEach((values, i) => {
        const worst = Math.max(...values.map((value, j) => Math.abs(value - expected[i]![j]!)));
        expect(worst).toBeLessThan(1e-4);
      });
    });
  }

  it('leave no tensors behind', () => {
    const x = numbers(2 * 8 * 9 * 3);
    const w = numbers(5 * 3 * 3 * 2);
    const run = () =>
      tf.tidy(() => void gradients(cases[3]!, x, w, (size) => new Float32Array(size).fill(1)));
    run();
    const before = tf.memory().numTensors;
    run();
    expect(tf.memory().numTensors).toBe(before);
  });
});

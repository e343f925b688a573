import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { expectNoLeak, gradCheck } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { normal } from '../../test/normal.js';
import { accelerate } from '../accelerate.js';
import { registerTrainingKernels } from './register.js';
import { wasmBatchNorm } from './wasm-batch-norm.js';

const apply = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, relu: boolean) => {
  const [mean, variance] = [tf.zeros(gamma.shape), tf.ones(gamma.shape)];
  return wasmBatchNorm(
    { x, gamma, beta },
    { epsilon: 1e-3, momentum: 0.1, training: true, mean, variance },
    { relu },
  );
};

describe('batch normalization on wasm', () => {
  beforeAll(async () => {
    await loadTensorFlow({ backend: 'wasm', quiet: true });
    registerTrainingKernels();
  });

  // Channels that fill vectors, that leave some over, and fewer than a vector has.
  it.each([
    [[7, 3], false],
    [[70, 4], true],
    [[2, 5, 6, 9], false],
    [[3, 4, 8], true],
  ] as const)('agrees with central differences: %j, relu %j', (shape, relu) => {
    const channels = shape.at(-1)!;
    // Far from ReLU's corner.
    const x = tf.add(tf.sign(normal(1, ...shape)), tf.mul(normal(2, ...shape), 0.05));
    gradCheck(
      (a, g, b) => apply(a!, g!, b!, relu).y,
      [x, tf.add(tf.mul(normal(3, channels), 0.1), 1), tf.mul(normal(4, channels), 0.1)],
      { step: 1 / 64, tolerance: 2e-3 },
    );
  });

  it('moves the running statistics by the unbiased variance', () => {
    const { mean, variance } = apply(tf.tensor2d([1, 2, 3, 4], [4, 1]), tf.ones([1]), tf.zeros([1]), false);
    expect(mean!.dataSync()[0]).toBeCloseTo(0.25, 6);
    expect(variance!.dataSync()[0]).toBeCloseTo(0.9 + 0.1 * (5 / 3), 6);
  });

  it('is exact far from 0, where sums of squares would not be', () => {
    const [rows, offset] = [10_000, 4096];
    const x = tf.tensor2d(
      Float32Array.from({ length: rows }, (_, i) => offset + (i % 2)),
      [rows, 1],
    );
    const { y } = apply(x, tf.ones([1]), tf.zeros([1]), false);
    const expected = 0.5 / Math.sqrt(0.25 + 1e-3);
    expect(y.dataSync()[1]).toBeCloseTo(expected, 5);
    expect(y.dataSync()[0]).toBeCloseTo(-expected, 5);
  });

  it('leaves no tensors behind, and memory where it was', () => {
    const inputs = [normal(1, 4, 5, 5, 6), tf.ones([6]), tf.zeros([6])];
    const run = () =>
      tf.tidy(() => void tf.grads((x, g, b) => apply(x!, g!, b!, true).y)(inputs as tf.Tensor[]));
    run();
    expectNoLeak(run);
    const { wasm } = tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } };
    const before = wasm.HEAPU8.length;
    for (let i = 0; i < 200; i++) run();
    expect(wasm.HEAPU8.length).toBe(before);
  });

  it('refuses gradients of gradients', () => {
    const model = accelerate(tf.sequential({ layers: [tf.layers.batchNormalization({ inputShape: [3] })] }));
    const slope = tf.grad((x) => tf.sum(model.apply(x, { training: true }) as tf.Tensor));
    expect(() => tf.grad((x) => tf.sum(slope(x)))(normal(1, 4, 3))).toThrow('A gradient of a gradient');
  });
});

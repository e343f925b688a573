import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { expectNoLeak, expectTensorClose, gradCheck } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { normal } from '../../test/normal.js';
import { headFactors } from './dropout.js';
import { registerTrainingKernels } from './register.js';
import { wasmAttention } from './wasm-attention.js';
import { wasmLayerNorm } from './wasm-layer-norm.js';

const [BATCH, TIME, HEADS, SIZE] = [2, 5, 2, 3] as const;
const WIDTH = HEADS * SIZE;
const options = { heads: HEADS, scale: 0.7, dropout: 0 };

/** The same in TensorFlow.js operations. */
function plain(projected: tf.Tensor, mask: tf.Tensor, factors: tf.Tensor): tf.Tensor {
  const parts = tf.transpose(tf.reshape(projected, [BATCH, TIME, 3, HEADS, SIZE]), [2, 0, 3, 1, 4]);
  const [q, k, v] = tf.unstack(parts) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const scores = tf.add(tf.mul(tf.matMul(q, k, false, true), options.scale), tf.expandDims(mask, 1));
  const heads = tf.matMul(tf.mul(tf.softmax(scores), factors), v);
  return tf.reshape(tf.transpose(heads, [0, 2, 1, 3]), [BATCH, TIME, WIDTH]);
}

describe('attention on wasm', () => {
  beforeAll(async () => {
    await loadTensorFlow({ backend: 'wasm', quiet: true });
    registerTrainingKernels();
  });

  it('is softmax(scale · QKᵀ + mask) V of each head, dropout by its seeds', () => {
    const [projected, mask] = [normal(1, BATCH, TIME, 3 * WIDTH), normal(2, BATCH, 1, TIME)];
    const seeds = [8, 9];
    const factors = tf.tensor(headFactors([BATCH, HEADS, TIME, TIME], { rate: 0.4, seeds }), [
      BATCH,
      HEADS,
      TIME,
      TIME,
    ]);
    const all = tf.ones([BATCH, HEADS, TIME, TIME]);
    expectTensorClose(wasmAttention(projected, mask, options), [...plain(projected, mask, all).dataSync()], {
      atol: 1e-6,
    });
    expectTensorClose(
      wasmAttention(projected, mask, { ...options, dropout: 0.4, seeds }),
      [...plain(projected, mask, factors).dataSync()],
      { atol: 1e-6 },
    );
  });

  it('agrees with central differences', () => {
    const projected = normal(1, BATCH, TIME, 3 * WIDTH);
    gradCheck((x) => wasmAttention(x!, undefined, options), [projected]);
    gradCheck((x, mask) => wasmAttention(x!, mask, options), [projected, normal(2, BATCH, 1, TIME)]);
    gradCheck((x) => wasmAttention(x!, undefined, { ...options, dropout: 0.4, seeds: [8, 9] }), [projected]);
  });

  it('draws other weights in every call without seeds', () => {
    const projected = normal(1, BATCH, TIME, 3 * WIDTH);
    const [first, second] = [1, 2].map(() =>
      wasmAttention(projected, undefined, { ...options, dropout: 0.5 }),
    );
    expect([...first!.dataSync()]).not.toEqual([...second!.dataSync()]);
  });

  it('makes a row of scores with NaN one of NaN, and no other', () => {
    const values = normal(1, BATCH, TIME, 3 * WIDTH).dataSync();
    values[0] = NaN; // A query of the first sample's first step, head 0.
    const y = wasmAttention(tf.tensor(values, [BATCH, TIME, 3 * WIDTH]), undefined, options).dataSync();
    y.forEach((value, i) => expect(Number.isNaN(value)).toBe(i < SIZE));
  });

  it('leaves no tensors behind', () => {
    const projected = normal(1, BATCH, TIME, 3 * WIDTH);
    const run = () =>
      tf.tidy(
        () => void tf.grad((x) => wasmAttention(x, undefined, { ...options, dropout: 0.5 }))(projected),
      );
    run();
    expectNoLeak(run);
  });
});

describe('layer normalization on wasm', () => {
  // Rows that fill vectors, that leave some over, and shorter ones than a vector.
  it.each([
    [3, 8],
    [2, 4, 7],
    [2, 3, 2, 3],
  ])('agrees with central differences: %j', (...shape) => {
    const width = shape.at(-1)!;
    const inputs = [normal(1, ...shape), normal(2, width), normal(3, width)] as const;
    gradCheck((x, gamma, beta) => wasmLayerNorm(x!, gamma!, beta!, 0.1), inputs);
  });
});

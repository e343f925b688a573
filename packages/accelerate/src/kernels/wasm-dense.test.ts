import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { expectNoLeak, expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { normal } from '../../test/normal.js';
import { registerTrainingKernels } from './register.js';

const cases: Readonly<Record<string, () => tf.Tensor>> = {
  product: () => tf.matMul(normal(1, 5, 7), normal(2, 7, 9)),
  // More steps than are packed at a time.
  'long product, both transposed': () => tf.matMul(normal(1, 600, 5), normal(2, 10, 600), true, true),
  'batches of products': () => tf.matMul(normal(1, 2, 3, 5, 4), normal(2, 2, 3, 6, 4), false, true),
  'one matrix for a batch': () => tf.matMul(normal(1, 3, 5, 4), normal(2, 1, 4, 6)),
  'batches that repeat': () => tf.matMul(normal(1, 2, 1, 5, 4), normal(2, 1, 3, 4, 6)),
  'product with bias and ReLU': () =>
    tf.fused.matMul({ a: normal(1, 5, 7), b: normal(2, 7, 9), bias: normal(3, 9), activation: 'relu' }),
  'product with another activation': () =>
    tf.fused.matMul({ a: normal(1, 5, 7), b: normal(2, 7, 9), activation: 'sigmoid' }),
  'sum of rows': () => tf.sum(normal(1, 90, 6), 0),
  'sum over axes in any order': () => tf.sum(normal(1, 3, 4, 5), [-2, 0], true),
  'sum of all': () => tf.sum(normal(1, 3, 4, 5)),
  'sum of the last axis': () => tf.sum(normal(1, 3, 4, 5), -1),
  'sum of integers': () => tf.sum(tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8], [2, 4], 'int32'), 0),
  'sum of nothing': () => tf.sum(tf.zeros([0, 5]), 0),
  'convolution of several channels with bias and ReLU': () =>
    tf.fused.conv2d({
      x: normal(1, 2, 6, 5, 3) as tf.Tensor4D,
      filter: normal(2, 3, 3, 3, 5) as tf.Tensor4D,
      strides: 2,
      pad: 'same',
      bias: normal(3, 5),
      activation: 'relu',
    }),
  'dilated convolution': () =>
    tf.conv2d(
      normal(1, 2, 7, 7, 3) as tf.Tensor4D,
      normal(2, 3, 3, 3, 5) as tf.Tensor4D,
      1,
      'same',
      'NHWC',
      2,
    ),
  'cast to integers': () => tf.cast(tf.tensor1d([1.5, -2.5]), 'int32'),
};

describe('kernels of wasm that ours replace', () => {
  beforeAll(async () => {
    await loadTensorFlow({ backend: 'wasm', quiet: true });
    registerTrainingKernels();
  });

  it.each(Object.entries(cases))('give the numbers of plain JavaScript: %s', async (_, run) => {
    await tf.setBackend('cpu');
    const wanted = run();
    await tf.setBackend('wasm');
    const found = run();
    expect([found.dtype, found.shape]).toEqual([wanted.dtype, wanted.shape]);
    expectTensorClose(found, [...wanted.dataSync()], { atol: 2e-5 });
    expectNoLeak(() => tf.tidy(run));
  });

  it('ReLU keeps NaN of either sign', () => {
    // ∞ − ∞ has one, on x86.
    const x = tf.sub(tf.tensor1d([Infinity, 1, -3]), tf.tensor1d([Infinity, 0, 0]));
    expect([...tf.relu(x).dataSync()]).toEqual([NaN, 1, 0]);
  });

  it('a clone and a cast outlive the original', () => {
    const x = tf.tensor1d([1, 2, 3]);
    const { numDataBuffers } = tf.memory();
    const copies = [tf.clone(x), tf.cast(x, 'float32')];
    expect(tf.memory().numDataBuffers).toBe(numDataBuffers);
    x.dispose();
    // New numbers in memory that was freed would show.
    const others = Array.from({ length: 20 }, () => tf.tensor1d([9, 9, 9]));
    for (const copy of copies) expect([...copy.dataSync()]).toEqual([1, 2, 3]);
    tf.dispose([...copies, ...others]);
  });
});

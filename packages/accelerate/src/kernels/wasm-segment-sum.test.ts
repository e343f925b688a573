import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { registerTrainingKernels } from './register.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'wasm', quiet: true });
  registerTrainingKernels();
});

describe('the sum by segments on WebAssembly', () => {
  it('adds rows, leaves empty segments at zero and negative ones out', () => {
    const sums = tf.tidy(() =>
      tf
        .unsortedSegmentSum(
          tf.tensor2d([1, 2, 10, 20, 100, 200, 7, 7], [4, 2]),
          tf.tensor1d([2, 0, 2, -1], 'int32'),
          4,
        )
        .arraySync(),
    );
    expect(sums).toEqual([
      [10, 20],
      [0, 0],
      [101, 202],
      [0, 0],
    ]);
  });

  it('keeps what is not finite in its own segment', () => {
    const sums = tf.tidy(() =>
      tf.unsortedSegmentSum(tf.tensor1d([NaN, 1, Infinity]), tf.tensor1d([0, 1, 2], 'int32'), 3).arraySync(),
    );
    expect(sums).toEqual([NaN, 1, Infinity]);
  });

  it.each([
    [
      0,
      [2, 0, 2],
      [
        [1, 1],
        [0, 0],
        [2, 2],
      ],
    ],
    [
      1,
      [1, 1],
      [
        [0, 2],
        [0, 2],
        [0, 2],
      ],
    ],
  ])('differentiates a gather of axis %i', (axis, indices, expected) => {
    const gradient = tf.tidy(() =>
      tf
        .grad((x: tf.Tensor) => tf.sum(tf.gather(x, tf.tensor1d(indices, 'int32'), axis)))(tf.zeros([3, 2]))
        .arraySync(),
    );
    expect(gradient).toEqual(expected);
  });
});

import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, expect, it } from 'vitest';
import { defineKernel, disposeSaved, runKernel } from './define-kernel.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

it('makes no zeros for gradients of outputs that are only saved, and keeps what is saved', () => {
  const sizes: number[][] = [];
  defineKernel({
    name: 'SquareOfTest',
    outputsToSave: [false, true],
    forward: ({ x }) => [tf.square(x as tf.Tensor), tf.mul(x as tf.Tensor, 2)],
    gradient: (dys, [doubled]) => {
      sizes.push(dys.map(({ size }) => size));
      return { x: () => tf.mul(dys[0] as tf.Tensor, doubled as tf.Tensor) };
    },
  });
  const square = (x: tf.Tensor): tf.Tensor => {
    const [y, doubled] = runKernel<[tf.Tensor, tf.Tensor]>('SquareOfTest', { x });
    disposeSaved([doubled]);
    return y;
  };
  const x = tf.tensor2d([
    [1, 2],
    [3, 4],
  ]);
  const before = tf.memory();
  const gradient = tf.grad(square)(x);
  expect(sizes).toEqual([[4, 0]]);
  expect([...gradient.dataSync()]).toEqual([2, 4, 6, 8]);
  gradient.dispose();
  // Outside of a gradient too.
  square(x).dispose();
  const { numTensors, numBytes } = tf.memory();
  expect({ numTensors, numBytes }).toEqual({ numTensors: before.numTensors, numBytes: before.numBytes });
});

// Encoders of MMIN: an LSTM and a text CNN.
import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { lstm } from './lstm.js';
import { textCnn } from './text-cnn.js';

const sequence = (shape: [number, number, number]) =>
  tf.tensor3d(
    Array.from({ length: shape[0] * shape[1] * shape[2] }, (_, i) => Math.sin(i * i)),
    shape,
  );
const sizes = { channels: 4, heights: [2, 3], features: 5, dropout: 0 };
const builds = {
  lstm: (time: number | null, paddingMask: boolean) =>
    lstm({ name: 'x', inputShape: [time, 3], seed: 1, units: 4, paddingMask }),
  textCnn: (time: number | null, paddingMask: boolean) =>
    textCnn({ name: 'x', inputShape: [time, 3], seed: 1, ...sizes, paddingMask }),
};

describe.each(['tensorflow', 'cpu'] as const)('on %s', (backend) => {
  beforeAll(async () => {
    await loadTensorFlow({ backend, quiet: true });
  });

  describe.each(Object.entries(builds))('%s', (_, build) => {
    it('gives features of any length, alike for a fixed and a free one', () => {
      const x = sequence([2, 5, 3]);
      const [fixed, free] = [build(5, false), build(null, false)];
      expectTensorClose(free.predict(x) as tf.Tensor, fixed.predict(x) as tf.Tensor, { atol: 1e-6 });
    });

    it('with a mask does not depend on the padding, nor without padding on the mask', () => {
      const x = sequence([2, 5, 3]);
      const [plain, masked] = [build(null, false), build(null, true)];
      const whole = masked.predict([x, tf.ones([2, 5])]) as tf.Tensor;
      expectTensorClose(whole, plain.predict(x) as tf.Tensor, { atol: 1e-6 });
      const padded = tf.concat([x, tf.mul(tf.ones([2, 4, 3]), 9)], 1);
      const mask = tf.concat([tf.ones([2, 5]), tf.zeros([2, 4])], 1);
      expectTensorClose(masked.predict([padded, mask]) as tf.Tensor, whole, { atol: 1e-6 });
    });

    it('takes one step with a mask', () => {
      const features = build(null, true).predict([sequence([2, 1, 3]), tf.ones([2, 1])]) as tf.Tensor;
      expect([...features.dataSync()].every(Number.isFinite)).toBe(true);
      expect([...features.dataSync()].every((value) => Math.abs(value) < 100)).toBe(true);
    });

    it('has a gradient for every weight that is trained', () => {
      const encoder = build(null, true);
      const variables = encoder.trainableWeights.map((weight) => weight.read() as tf.Variable);
      const { grads } = tf.variableGrads(
        () =>
          tf.sum(
            tf.square(encoder.apply([sequence([3, 6, 3]), tf.ones([3, 6])], { training: true }) as tf.Tensor),
          ) as tf.Scalar,
        variables,
      );
      for (const { name } of variables)
        expect(tf.sum(tf.abs(grads[name]!)).dataSync()[0], name).toBeGreaterThan(0);
    });
  });
});

it('keeps the two biases of an LSTM apart, and trains no identity', () => {
  const names = (weights: tf.LayerVariable[]) => weights.map(({ originalName }) => originalName);
  const encoder = lstm({ name: 'a', inputShape: [4, 2], seed: 0, units: 3 });
  expect(names(encoder.trainableWeights)).toEqual([
    'a/input/kernel',
    'a/input/bias',
    'a/lstm/recurrent_kernel',
    'a/lstm/bias',
  ]);
  const bound = 1 / Math.sqrt(3);
  for (const weight of encoder.trainableWeights)
    for (const value of weight.read().dataSync()) expect(Math.abs(value)).toBeLessThan(bound);
});

it('refuses sequences that are shorter than a window', () => {
  expect(() => textCnn({ name: 'text', inputShape: [4, 2], seed: 0 })).toThrow(
    /sees 5 steps at a time, but a sample of text has 4/,
  );
});

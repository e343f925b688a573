import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { randomWords } from '@g2d/tensor-ops';
import { expectNoLeak, expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { enhanceGradient, noisyGradient, normalNoise } from './gradient-noise.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

describe('enhanceGradient', () => {
  it('scales, and adds noise as large as the gradient was before', () => {
    const gradient = tf.tensor2d([[1, 3]]);
    // Unbiased deviation of 1 and 3: √2.
    const enhanced = enhanceGradient(gradient, { coefficient: 0.5, noise: tf.tensor2d([[0, 1]]) });
    expectTensorClose(enhanced, [0.5, 1.5 + Math.SQRT2], { atol: 1e-6 });
    expectTensorClose(gradient, [1, 3], { atol: 0 });
  });

  it('gives a constant gradient almost no noise, and a single number none of its own', () => {
    const noise = tf.tensor1d([1e6, -1e6]);
    const constant = enhanceGradient(tf.tensor1d([0, 0]), { coefficient: 1, noise });
    expectTensorClose(constant, [0.01, -0.01], { rtol: 1e-5 });
    const single = enhanceGradient(tf.tensor1d([2]), { coefficient: 0.5, noise: tf.tensor1d([1]) });
    expectTensorClose(single, [1], { atol: 1e-6 });
  });

  it('leaves nothing behind, and refuses noise of another shape', () => {
    const [gradient, noise] = [tf.ones([2, 3]), tf.ones([2, 3])];
    expectNoLeak(() => enhanceGradient(gradient, { coefficient: 1, noise }));
    expect(() => enhanceGradient(gradient, { coefficient: 1, noise: tf.ones([6]) })).toThrow(
      /`noise` has shape \[6\]; expected \[2, 3\]/,
    );
  });
});

describe('normalNoise', () => {
  it('is standard normal, the two halves apart', () => {
    const noise = normalNoise([200, 501], 7);
    expect(noise.shape).toEqual([200, 501]);
    const values = noise.dataSync() as Float32Array;
    const n = values.length;
    const moment = (power: number) => values.reduce((sum, value) => sum + value ** power, 0) / n;
    // Five standard errors: √(1/n), √(2/n), √(15/n), √(96/n).
    for (const [power, expected, variance] of [
      [1, 0, 1],
      [2, 1, 2],
      [3, 0, 15],
      [4, 3, 96],
    ] as const) {
      expect(Math.abs(moment(power) - expected)).toBeLessThan(5 * Math.sqrt(variance / n));
    }
    const half = n / 2;
    const products = values.subarray(0, half).map((value, i) => value * values[half + i]!);
    expect(Math.abs(products.reduce((sum, value) => sum + value, 0) / half)).toBeLessThan(
      5 / Math.sqrt(half),
    );
  });

  it('is Box-Muller of the words of its places', () => {
    const words = randomWords(7, 4096);
    const values = normalNoise([4096], 7).dataSync();
    for (let i = 0; i < 4096; i++) {
      const first = i - (i & 8);
      const radius = Math.sqrt(-2 * Math.log((words[first]! | 1) >>> 0) + 64 * Math.LN2);
      const angle = words[first + 8]!;
      // A quarter for the two highest bits; the others as a signed number.
      const turn = (angle >>> 30) / 4 + (angle << 2) / 2 ** 34;
      const expected = radius * (i & 8 ? Math.sin : Math.cos)(2 * Math.PI * turn);
      expect(Math.abs(values[i]! - expected)).toBeLessThan(2e-6);
    }
    // Found in Python.
    expectTensorClose(tf.tensor(values.subarray(0, 3)), [1.013494, 0.282256, -1.293752], { atol: 1e-6 });
  });

  it('follows from its seed, whatever the size', () => {
    expectTensorClose(normalNoise([3, 3], 1), normalNoise([3, 3], 1), { atol: 0 });
    expect(normalNoise([3], 1).dataSync()).not.toEqual(normalNoise([3], 2).dataSync());
    expect(normalNoise([1], 1).shape).toEqual([1]);
    expectNoLeak(() => normalNoise([5], 1));
  });
});

describe('noisyGradient', () => {
  // A group of words and a remainder, several parts, and a single number.
  it.each([[[3]], [[5, 7, 11]], [[70_001]], [[1]], [[]]])(
    'of %j is enhanceGradient with its noise',
    (shape) => {
      const gradient = tf.mul(normalNoise(shape, 3), 0.01);
      const enhanced = noisyGradient(gradient, { coefficient: 0.3, seed: 9 });
      const expected = enhanceGradient(gradient, { coefficient: 0.3, noise: normalNoise(shape, 9) });
      expect(enhanced.shape).toEqual(shape);
      expectTensorClose(enhanced, expected, { atol: 1e-7, rtol: 1e-6 });
      expectNoLeak(() => noisyGradient(gradient, { coefficient: 0.3, seed: 9 }));
    },
  );

  it('draws the numbers of normalNoise to the bit', () => {
    // Of κ = 0 and a deviation of 1 the noise itself is left; the numbers' squares add up to (n − 1).
    const half = new Float32Array(100_000).fill(1);
    half.fill(-1, 50_000);
    half[0] = 1;
    const scale = Math.fround(Math.sqrt(100_000 / 99_999) + 1e-8);
    const enhanced = noisyGradient(tf.tensor1d(half), { coefficient: 0, seed: 4 }).dataSync();
    const noise = normalNoise([100_000], 4).dataSync();
    const wrong = enhanced.filter((value, i) => value !== Math.fround(noise[i]! * scale));
    expect(wrong.length).toBe(0);
  });

  it('keeps what is not a number', () => {
    const gradient = tf.tensor1d([1, NaN, 2]);
    expect([...noisyGradient(gradient, { coefficient: 1, seed: 1 }).dataSync()]).toEqual([NaN, NaN, NaN]);
  });
});

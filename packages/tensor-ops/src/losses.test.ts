import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { crossEntropy } from './cross-entropy.js';
import { klDivergence } from './kl-divergence.js';
import { expectNoLeak, expectTensorClose, gradCheck } from './testing.js';
import { trueClassProbability } from './true-class-probability.js';

const labels = (...ids: number[]) => tf.tensor1d(ids, 'int32');

beforeAll(async () => {
  await loadTensorFlow({ backend: 'wasm', quiet: true });
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

describe.each(['tensorflow', 'wasm', 'cpu'])('on the %s backend', (backend) => {
  beforeAll(async () => {
    expect(await tf.setBackend(backend)).toBe(true);
  });

  describe('crossEntropy', () => {
    it('is ln C for equal logits', () => {
      expectTensorClose(crossEntropy(labels(0, 2), tf.zeros([2, 3])), Math.log(3), { atol: 1e-6 });
    });

    it('is −log p[y] averaged, computed by hand', () => {
      // p = (2/3, 1/3) for logits (ln 2, 0): −(ln 2/3 + ln 1/3) / 2.
      const logits = tf.tensor2d([
        [Math.log(2), 0],
        [Math.log(2), 0],
      ]);
      const expected = -(Math.log(2 / 3) + Math.log(1 / 3)) / 2;
      expectTensorClose(crossEntropy(labels(0, 1), logits), expected, { atol: 1e-6 });
    });

    it('stays finite for logits far apart', () => {
      expectTensorClose(crossEntropy(labels(1), tf.tensor2d([[500, -500]])), 1000, { rtol: 1e-6 });
    });

    it('has the right gradient', () => {
      const y = labels(0, 2, 1);
      gradCheck(
        (logits: tf.Tensor2D) => crossEntropy(y, logits),
        [
          tf.tensor2d([
            [0.3, -1, 2],
            [0.5, 0.1, -0.4],
            [-1.5, 0, 0.2],
          ]),
        ],
      );
    });

    it('leaves nothing behind and refuses other shapes', () => {
      const y = labels(0, 1);
      const z = tf.ones<tf.Rank.R2>([2, 3]);
      expectNoLeak(() => crossEntropy(y, z));
      expect(() => crossEntropy(labels(0), z)).toThrow(/`labels` has shape \[1\]; expected \[B\] with B = 2/);
    });
  });

  describe('trueClassProbability', () => {
    it('is softmax(logits)[y] of every sample', () => {
      const logits = tf.tensor2d([
        [Math.log(3), 0],
        [0, 0],
      ]);
      expectTensorClose(trueClassProbability(labels(0, 1), logits), [0.75, 0.5], { atol: 1e-6 });
    });

    it('has the right gradient', () => {
      const y = labels(0, 2);
      gradCheck(
        (logits: tf.Tensor2D) => trueClassProbability(y, logits),
        [
          tf.tensor2d([
            [0.3, -1, 2],
            [0.5, 0.1, -0.4],
          ]),
        ],
      );
    });
  });

  describe('klDivergence', () => {
    it('has the reference value for (2, 1, 0) against equal logits', () => {
      expectTensorClose(klDivergence(tf.tensor2d([[2, 1, 0]]), tf.zeros([1, 3])), 0.266217, { atol: 1e-6 });
    });

    it('is 0 for equal distributions, whatever constant is added', () => {
      const p = tf.tensor2d([[1, -2, 0.5]]);
      expectTensorClose(klDivergence(p, tf.add(p, 7)), 0, { atol: 1e-6 });
    });

    it('treats a target probability of 0 as 0 · log 0 = 0', () => {
      expectTensorClose(klDivergence(tf.tensor2d([[0, -1000]]), tf.zeros([1, 2])), Math.log(2), {
        atol: 1e-6,
      });
    });

    it('has the right gradient in both', () => {
      gradCheck(klDivergence, [
        tf.tensor2d([
          [2, 1, 0],
          [-0.3, 0.4, 0.1],
        ]),
        tf.tensor2d([
          [0.2, -0.5, 1],
          [1.5, 0.6, -0.9],
        ]),
      ]);
    });

    it('leaves nothing behind and refuses other shapes', () => {
      const a = tf.ones<tf.Rank.R2>([2, 3]);
      expectNoLeak(() => klDivergence(a, a));
      expect(() => klDivergence(a, tf.ones([2, 4]))).toThrow(
        /`prediction` has shape \[2, 4\]; expected \[2, 3\]/,
      );
    });
  });
});

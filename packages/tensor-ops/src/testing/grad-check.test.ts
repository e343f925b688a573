import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { gradCheck } from './grad-check.js';
import { expectNoLeak } from '../testing.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'wasm', quiet: true });
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

/** The square with a gradient that is wrong by a factor. */
const wrongSquare = (factor: number) =>
  tf.customGrad((x, save) => {
    (save as (tensors: tf.Tensor[]) => void)([x as tf.Tensor]);
    return {
      value: tf.square(x as tf.Tensor),
      gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) => tf.mul(dy, tf.mul(saved!, 2 * factor)),
    };
  });

describe.each(['tensorflow', 'wasm', 'cpu'])('gradCheck on the %s backend', (backend) => {
  beforeAll(async () => {
    expect(await tf.setBackend(backend)).toBe(true);
  });

  const a = tf.tensor2d([
    [0.3, -1.2, 0.7],
    [2.1, 0.4, -0.5],
  ]);
  const b = tf.tensor2d([
    [1.5, -0.2],
    [0.1, 0.8],
    [-0.9, 0.6],
  ]);

  it('accepts right gradients of every input, within 1e-5', () => {
    gradCheck((x, y) => tf.matMul(x, y), [a, b], { tolerance: 1e-5 });
    gradCheck((x) => tf.tanh(x), [a], { tolerance: 1e-5 });
    gradCheck((x) => tf.softmax(x), [a], { tolerance: 1e-5 });
    gradCheck((x) => tf.mean(tf.exp(x)), [a], { tolerance: 1e-5 });
  });

  it('sees an error of 1 in 5000, and a product of factors does not change that', () => {
    const square = wrongSquare(1.0002);
    expect(() => gradCheck((x) => square(x), [a])).toThrow(/The gradient of input 0/);
    expect(() => gradCheck((x) => tf.mul(square(x), 1e-6), [a])).toThrow(/The gradient of input 0/);
    expect(() => gradCheck((x) => tf.mul(square(x), 1e6), [a])).toThrow(/The gradient of input 0/);
    gradCheck((x) => wrongSquare(1)(x), [a]);
  });

  it('sees gradients that belong to other outputs, which a sum of outputs would not', () => {
    const identity = tf.customGrad((x) => ({
      value: tf.clone(x as tf.Tensor),
      gradFunc: (dy: tf.Tensor) => tf.reverse(dy, 1),
    }));
    expect(() => gradCheck((x) => identity(x), [a])).toThrow(/element \[0, 0\]/);
  });

  it('says which input and element, and both numbers', () => {
    expect(() => gradCheck((x, y) => tf.add(tf.sum(x), tf.sum(wrongSquare(0.5)(y))), [a, b])).toThrow(
      /^The gradient of input 1 \(shape \[3, 2\]\) at element \[0, 0\] is [\d.-]+, but differences give [\d.-]+ /,
    );
  });

  it('fails for NaN, and leaves nothing behind', () => {
    expect(() => gradCheck((x) => wrongSquare(NaN)(x), [a])).toThrow(/is NaN, but/);
    expectNoLeak(() => gradCheck((x) => tf.square(x), [a]));
  });
});

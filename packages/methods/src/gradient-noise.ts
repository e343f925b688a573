import * as tf from '@tensorflow/tfjs-core';
import { assertSameShape } from '@g2d/tensor-ops';
import { execute, hasOperation, TENSORFLOW } from '@g2d/tensor-ops/tensorflow';
import { normalNumbers } from './normal-noise.js';

/**
 * Standard normal noise for a variable's gradient.
 *
 * @param variable The variable's name as in `MultimodalModel.state()`, for example `audio/conv1/kernel`.
 * @param shape Of the variable, and of the noise.
 */
export type GradientNoise = (variable: string, shape: readonly number[]) => tf.Tensor;

/**
 * A gradient, scaled, with noise of its own size.
 *
 * κ g + (std(g) + 1e-8) n,  std: unbiased, over all entries of g before it is scaled
 *
 * @param gradient g of one variable.
 * @param options `coefficient`: κ. `noise`: n, standard normal, of the gradient's shape.
 * @returns A new tensor; dispose it. The gradient and the noise are left alone.
 * @throws {ShapeError} If the shapes differ.
 * @example
 * enhanceGradient(tf.tensor1d([1, 3]), { coefficient: 0.5, noise: tf.tensor1d([0, 1]) }).print(); // [0.5, 2.914]
 * @see Peng et al., CVPR 2022, generalization enhancement; released code, `main.py`
 */
export function enhanceGradient(
  gradient: tf.Tensor,
  { coefficient, noise }: { readonly coefficient: number; readonly noise: tf.Tensor },
): tf.Tensor {
  assertSameShape('noise', noise, 'gradient', gradient);
  return tf.tidy(() => {
    // A single number has no spread: 0, where the unbiased formula has 0 / 0.
    const unbiased = gradient.size / Math.max(gradient.size - 1, 1);
    const deviation = tf.sqrt(tf.mul(tf.moments(gradient).variance, unbiased));
    return tf.add(tf.mul(gradient, coefficient), tf.mul(noise, tf.add(deviation, 1e-8)));
  });
}

/** Standard normal numbers that follow from the seed, on every backend the same. */
export const normalNoise = (shape: readonly number[], seed: number): tf.Tensor =>
  tf.tensor(normalNumbers(tf.util.sizeFromShape([...shape]), seed), [...shape]);

// Two ResNet-18 take 22 million normal numbers in a step: `@g2d/native` draws them where the gradient is changed.
const OPERATION = 'G2dV1GradientNoise';

const run = (gradient: tf.Tensor, coefficient: number, seed: number): tf.Tensor =>
  tf.tidy(() =>
    execute(OPERATION, [], [gradient, tf.tensor1d([coefficient]), tf.tensor1d([seed | 0], 'int32')]),
  );

/**
 * `enhanceGradient` with `normalNoise` of a seed.
 *
 * @param options `seed`: derive it with `deriveSeed`.
 * @returns A new tensor; dispose it.
 */
export function noisyGradient(
  gradient: tf.Tensor,
  { coefficient, seed }: { readonly coefficient: number; readonly seed: number },
): tf.Tensor {
  const native = tf.getBackend() === TENSORFLOW && hasOperation(OPERATION, () => run(tf.ones([1]), 1, 1));
  if (native) return run(gradient, coefficient, seed);
  return tf.tidy(() => enhanceGradient(gradient, { coefficient, noise: normalNoise(gradient.shape, seed) }));
}

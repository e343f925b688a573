import { checkKeys } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { randomStream } from '../random.js';

/** Settings of `gradCheck`. */
export interface GradCheckOptions {
  /**
   * Default 1/16. The function must be smooth within two steps of the inputs along every axis: keep ReLU and max-pooling
   * inputs at least that far from their kinks, or make the step smaller (noise grows as 1/step).
   */
  readonly step?: number;
  /** Allowed difference, as a part of the largest entry of that input's gradient. Default 1e-4. */
  readonly tolerance?: number;
}

/**
 * Compares the gradients of a function with numerical ones, in every element of every input.
 *
 * s(x) = Σ_k r_k f(x)_k with fixed random r;  D(h) = (s(x + h) − s(x − h)) / 2h;  ∂s/∂x ≈ (4 D(h) − D(2h)) / 3
 *
 * Made to be exact in float32. A sum over outputs in float32 would lose what a single element changes, so s is
 * accumulated in double precision, where outputs that the element does not reach cancel exactly. The extrapolation
 * removes the h² term and leaves −h⁴ f⁽⁵⁾/30, so that the step can be large: at 1/16 that is 5e-7 · f⁽⁵⁾, and rounding
 * (6e-8 · f / h) contributes 1e-6 · f. Plain central differences reach 1e-4 at best. Divided is by the distance of the
 * two rounded inputs, not by 2h. The weights r notice outputs in the wrong order, which a sum would not.
 *
 * @param f The function, with one argument per input and a float32 result of any shape. Called four times per element.
 * @param inputs Where: values of order 1, few.
 * @throws {Error} Naming input, element and both numbers, unless all agree within the tolerance and what float32 resolves.
 * @example
 * gradCheck((x, y) => tf.matMul(x, y), [tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [-1]])]);
 */
export function gradCheck<Inputs extends readonly tf.Tensor[]>(
  f: (...inputs: Inputs) => tf.Tensor,
  inputs: readonly [...Inputs],
  options: GradCheckOptions = {},
): void {
  const { step = 1 / 16, tolerance = 1e-4 } = checkKeys(
    options,
    { step: true, tolerance: true },
    'gradCheck',
  );
  tf.tidy(() => {
    const call = (at: readonly tf.Tensor[]): tf.Tensor => f(...(at as unknown as Inputs));
    const output = call(inputs);
    const weights = signedWeights(output.size);
    const analytic = tf
      .grads((...at: tf.Tensor[]) => call(at))(
        inputs as unknown as tf.Tensor[],
        tf.tensor(weights, output.shape),
      )
      .map((gradient) => gradient.dataSync());
    const noise = float32Noise(output.dataSync(), weights, step);

    inputs.forEach((input, which) => {
      const values = input.dataSync() as Float32Array;
      const at = (moved: Float32Array): number =>
        tf.tidy(() => {
          const x = tf.tensor(moved, input.shape, 'float32');
          return dot(call(inputs.map((other, i) => (i === which ? x : other))).dataSync(), weights);
        });
      const difference = (element: number, h: number): number => {
        const [up, down] = [Float32Array.from(values), Float32Array.from(values)];
        up[element]! += h;
        down[element]! -= h;
        return (at(up) - at(down)) / (up[element]! - down[element]!);
      };
      const numeric = Array.from(values, (_, i) => {
        const [near, far] = [difference(i, step), difference(i, 2 * step)];
        return { near, far, value: (4 * near - far) / 3 };
      });
      const largest = Math.max(...numeric.map(({ value }) => Math.abs(value)));
      const allowed = tolerance * largest + noise;
      numeric.forEach(({ near, far, value }, i) => {
        const got = analytic[which]![i]!;
        // Written so that NaN fails.
        if (Math.abs(got - value) <= allowed) return;
        throw new Error(
          `The gradient of input ${which} (shape [${input.shape.join(', ')}]) at element [${indexOf(i, input.shape).join(', ')}] is ${got}, ` +
            `but differences give ${value} (${near} with step ${step}, ${far} with ${2 * step}); allowed is ${allowed.toExponential(1)}. ` +
            'If the two differences disagree, there is a kink within two steps, or the step is too large.',
        );
      });
    });
  });
}

/** Fixed weights in ±[0.5, 1]: none so small that an output goes unnoticed. Float32, as the analytic side gets them. */
function signedWeights(size: number): Float32Array {
  const random = randomStream(1);
  return Float32Array.from({ length: size }, () => {
    const u = random.uniform();
    return u < 0.5 ? 0.5 + u : -u;
  });
}

/** What float32 outputs can resolve of a derivative: a few units in the last place of each output, added as independent errors. */
function float32Noise(output: ArrayLike<number>, weights: Float32Array, step: number): number {
  return (8 * 2 ** -24 * Math.hypot(...Array.from(weights, (weight, k) => weight * output[k]!))) / step;
}

const dot = (a: ArrayLike<number>, b: Float32Array): number => b.reduce((sum, x, k) => sum + x * a[k]!, 0);

/** Position of a flat index along each axis. */
const indexOf = (flat: number, shape: readonly number[]): number[] =>
  shape.map((size, axis) => Math.floor(flat / shape.slice(axis + 1).reduce((a, b) => a * b, 1)) % size);

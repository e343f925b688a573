import * as tf from '@tensorflow/tfjs-core';
import { randomStream } from '@g2d/tensor-ops';
import { defineKernel, runKernel } from '@g2d/tensor-ops/tensorflow';

const KERNEL = 'G2dDropout';

interface DropoutAttributes {
  /** Share of values that is set to 0, above 0 and below 1. */
  readonly rate: number;
  readonly seed: number;
}

/**
 * What dropout multiplies by: 0 with probability `rate`, 1 / (1 − rate) otherwise.
 *
 * The rarer of the two is placed. The distances between its places are geometrically distributed, ⌊ln(1 − u) / ln(1 − p)⌋
 * others lie between, so that there is one random number for each place, not for each value.
 *
 * @param rate Above 0 and below 1.
 */
export function dropoutFactors(length: number, rate: number, seed: number): Float32Array {
  const random = randomStream(seed);
  const kept = 1 / (1 - rate);
  const [usual, rare] = rate <= 0.5 ? [kept, 0] : [0, kept];
  const factors = new Float32Array(length).fill(usual);
  const scale = 1 / Math.log1p(-Math.min(rate, 1 - rate));
  const gap = (): number => Math.floor(Math.log(1 - random.uniform()) * scale);
  for (let i = gap(); i < length; i += 1 + gap()) factors[i] = rare;
  return factors;
}

/** The same for the attention weights `[B, H, T, T]`, one stream for each head's `[B, T, T]`. */
export function headFactors(
  shape: readonly [number, number, number, number],
  rate: number,
  seeds: readonly number[],
): Float32Array {
  const [batch, heads, rows, columns] = shape;
  const size = rows * columns;
  const factors = new Float32Array(batch * heads * size);
  seeds.forEach((seed, head) => {
    const own = dropoutFactors(batch * size, rate, seed);
    for (let i = 0; i < batch; i++) {
      factors.set(own.subarray(i * size, (i + 1) * size), (i * heads + head) * size);
    }
  });
  return factors;
}

/** Registers the kernel and its gradient for the `tensorflow` backend. */
export function registerDropout(): void {
  defineKernel<DropoutAttributes>({
    name: KERNEL,
    outputsToSave: [false, true],
    forward: ({ x }, attributes) => dropped(x as tf.Tensor, attributes),
    gradient: ([dy], [factors]) => ({ x: () => tf.mul(dy as tf.Tensor, factors as tf.Tensor) }),
  });
}

function dropped(x: tf.Tensor, { rate, seed }: DropoutAttributes): [y: tf.Tensor, factors: tf.Tensor] {
  const factors = tf.tensor(dropoutFactors(x.size, rate, seed), x.shape);
  return [tf.mul(x, factors), factors];
}

/** Dropout by a seed on the `tensorflow` backend. Saves the mask only. */
export function dropout(x: tf.Tensor, attributes: DropoutAttributes): tf.Tensor {
  const [y, factors] = runKernel<tf.Tensor[]>(KERNEL, { x }, attributes) as [tf.Tensor, tf.Tensor];
  factors.dispose();
  return y;
}

/** The same in TensorFlow.js operations: runs on every backend. */
export function plainDropout(x: tf.Tensor, attributes: DropoutAttributes): tf.Tensor {
  const [y, factors] = dropped(x, attributes);
  factors.dispose();
  return y;
}

import * as tf from '@tensorflow/tfjs-core';
import { randomWords } from '@g2d/tensor-ops';
import {
  attribute,
  defineKernel,
  disposeSaved,
  execute,
  hasOperation,
  runKernel,
  type Attribute,
} from '@g2d/tensor-ops/tensorflow';

const KERNEL = 'G2dDropout';
const OPERATION = 'G2dV2Dropout';

interface DropoutAttributes {
  /** Share of values that is set to 0, above 0 and below 1. */
  readonly rate: number;
  readonly seed: number;
  /** Which of equal parts of a batch the values are; default: 0. */
  readonly part?: number | undefined;
}

/** A value is kept if its word is at least this. */
const threshold = (rate: number): number => Math.max(1, Math.floor(rate * 2 ** 32));

/**
 * What dropout multiplies by: 0 with probability `rate`, 1 / (1 − rate) otherwise. Each value by itself, from its place alone.
 *
 * @param rate Above 0 and below 1.
 * @param part Of how many such lengths come before.
 */
export function dropoutFactors(length: number, { rate, seed, part = 0 }: DropoutAttributes): Float32Array {
  const [least, kept] = [threshold(rate), 1 / (1 - rate)];
  const words = randomWords(seed, length, part * length);
  const factors = new Float32Array(length);
  for (let i = 0; i < length; i++) if (words[i]! >= least) factors[i] = kept;
  return factors;
}

/** The same for the attention weights `[B, H, T, T]`, one stream for each head's `[B, T, T]`. */
export function headFactors(
  [batch, heads, rows, columns]: readonly [number, number, number, number],
  { rate, seeds, part = 0 }: Omit<DropoutAttributes, 'seed'> & { readonly seeds: readonly number[] },
): Float32Array {
  const size = rows * columns;
  const factors = new Float32Array(batch * heads * size);
  seeds.forEach((seed, head) => {
    const own = dropoutFactors(batch * size, { rate, seed, part });
    for (let i = 0; i < batch; i++) {
      factors.set(own.subarray(i * size, (i + 1) * size), (i * heads + head) * size);
    }
  });
  return factors;
}

/** A seed for those who bring none. */
export const anySeed = (): number => Math.floor(Math.random() * 2 ** 32);

/** One for each head of attention. */
export const anySeeds = (heads: number): number[] => Array.from({ length: heads }, anySeed);

/** What the operations of `@g2d/native` draw from; empty for a rate of 0. */
export const drawOf = (rate: number, seeds: readonly number[], part = 0): tf.Tensor =>
  tf.tensor1d(
    rate > 0 ? Int32Array.from([threshold(rate), part, ...seeds].map((word) => word | 0)) : [],
    'int32',
  );

export const factorAttribute = (rate: number): Attribute => attribute.float('factor', 1 / (1 - rate));

const canFuse = (): boolean =>
  hasOperation(OPERATION, () => execute(OPERATION, [factorAttribute(0)], [tf.ones([1]), drawOf(0, [])]));

/** x times its factors: `drawn` are they, or what they are drawn from. */
const drop = (x: tf.Tensor, drawn: tf.Tensor, rate: number): tf.Tensor =>
  drawn.dtype === 'int32' ? execute(OPERATION, [factorAttribute(rate)], [x, drawn]) : tf.mul(x, drawn);

/** Registers the kernel and its gradient for the `tensorflow` backend. */
export function registerDropout(): void {
  defineKernel<DropoutAttributes>({
    name: KERNEL,
    outputsToSave: [false, true],
    forward: ({ x }, attributes) => {
      const { rate, seed, part } = attributes;
      const drawn = canFuse() ? drawOf(rate, [seed], part) : factorsOf(x as tf.Tensor, attributes);
      return [drop(x as tf.Tensor, drawn, rate), drawn];
    },
    gradient: ([dy], [drawn], { rate }) => ({ x: () => drop(dy as tf.Tensor, drawn as tf.Tensor, rate) }),
  });
}

const factorsOf = ({ size, shape }: tf.Tensor, attributes: DropoutAttributes): tf.Tensor =>
  tf.tensor(dropoutFactors(size, attributes), shape);

/** Dropout by a seed on the `tensorflow` backend. Saves the mask, or what it is drawn from. */
export function dropout(x: tf.Tensor, attributes: DropoutAttributes): tf.Tensor {
  if (x.size === 0) return plainDropout(x, attributes);
  const [y, drawn] = runKernel<tf.Tensor[]>(KERNEL, { x }, attributes) as [tf.Tensor, tf.Tensor];
  disposeSaved([drawn]);
  return y;
}

/** The same in TensorFlow.js operations: runs on every backend. */
export function plainDropout(x: tf.Tensor, attributes: DropoutAttributes): tf.Tensor {
  const factors = factorsOf(x, attributes);
  const y = tf.mul(x, factors);
  factors.dispose();
  return y;
}

import * as tf from '@tensorflow/tfjs-core';
import { formatNumber, OptionError } from '@g2d/core';
import type { Precision } from './bfloat16.js';
import { conv2dWithBias, convolutionGradients, convolve } from './conv2d.js';
import { hasOwnBfloat16, matMul } from './product.js';
import { TENSORFLOW } from '@g2d/tensor-ops/tensorflow';

/** Between the error of bfloat16 operands with float32 sums, 0.4 %, and with sums of bfloat16, 3 % for so many summands. */
const ALLOWED = 0.01;

let tried: { readonly problem: string | null } | undefined;

/**
 * Why nothing can be computed in `'bfloat16'` here, as a part of a sentence; `null` where something can.
 *
 * On the `tensorflow` backend products can with AVX512-BF16, and convolutions too where its oneDNN has them for this processor: with AVX-512 or
 * newer (fast with AMX). Elsewhere TensorFlow fails in the middle of a step, or adds up in bfloat16, which loses gradients. So the operations are
 * tried once, on a few numbers.
 *
 * @example
 * const precision = bfloat16Problem() === null ? 'bfloat16' : 'float32';
 * const model = accelerate(encoder, { precision });
 */
export function bfloat16Problem(): string | null {
  const backend = tf.getBackend();
  if (backend !== TENSORFLOW) return `the backend is ${backend}, and only ${TENSORFLOW} has bfloat16`;
  tried ??= { problem: attempt() };
  return tried.problem;
}

/** @throws {OptionError} If this precision cannot be had on the backend `tensorflow`, which is in use. */
export function assertComputes(precision: Precision): void {
  if (precision === 'float32') return;
  const problem = bfloat16Problem();
  if (problem === null) return;
  throw new OptionError(
    `\`precision\` is "${precision}", but ${problem}. Use "float32" here, or a processor with AVX512-BF16 or AMX.`,
    { option: 'precision', value: precision, accepted: 'float32' },
  );
}

function attempt(): string | null {
  const { engine } = tf;
  engine().startScope('bfloat16');
  try {
    const [shape, filterShape] = [
      [4, 9, 9, 16],
      [3, 3, 16, 16],
    ];
    const [x, filter, bias, dy] = [shape, filterShape, [16], shape].map(values) as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ];
    const window = { strides: [1, 1], padding: [1, 1] } as const;
    const [a, b] = [values([160, 256], 7), values([256, 128], 8)];
    const results = (precision: Precision): Record<string, tf.Tensor> => {
      const product = () => ({ 'a product': matMul(a, b, 'none', precision) });
      // Where products are ours, so are convolutions in bfloat16, and all others float32.
      if (hasOwnBfloat16()) return product();
      const options = { ...window, precision };
      const gradients = convolutionGradients(dy, x, filter, options);
      return {
        'a convolution': convolve(x, filter, options),
        'a convolution with a bias': conv2dWithBias(x, filter, bias, window, precision),
        'the gradient of an image': gradients.x(),
        'the gradient of a filter': gradients.filter(),
        // Last: where there is none, TensorFlow does not fail, but ends the process.
        ...product(),
      };
    };
    const [exact, rounded] = [results('float32'), results('bfloat16')];
    for (const [name, expected] of Object.entries(exact)) {
      const error = difference(rounded[name] as tf.Tensor, expected);
      if (error <= ALLOWED) continue;
      return `its sums are rounded to bfloat16 in TensorFlow on this processor, or without oneDNN: ${name} differs by ${formatNumber(100 * error)} %`;
    }
    return null;
  } catch (error) {
    const reason = /message: ([^\n,]*)/.exec((error as Error).message)?.[1] ?? (error as Error).message;
    return `TensorFlow has no bfloat16 on this processor (${reason.trim()})`;
  } finally {
    engine().endScope();
  }
}

const values = (shape: readonly number[], seed: number): tf.Tensor => {
  const size = shape.reduce((product, axis) => product * axis, 1);
  const numbers = Float32Array.from({ length: size }, (_, i) => Math.sin(i * i * 0.37 + i + seed));
  return tf.tensor(numbers, [...shape]);
};

/** The largest, as a part of the largest value; a number that is none counts as infinite. */
function difference(actual: tf.Tensor, expected: tf.Tensor): number {
  const [a, b] = [actual.dataSync(), expected.dataSync()];
  let [error, largest] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    const distance = Math.abs((a[i] as number) - (b[i] as number));
    error = Math.max(error, Number.isFinite(distance) ? distance : Infinity);
    largest = Math.max(largest, Math.abs(b[i] as number));
  }
  return error / largest;
}

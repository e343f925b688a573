import type { RandomStream } from '@g2d/core';

/** Fan-in and fan-out of a kernel in TensorFlow's layout: `[…window, in, out]`. */
function fans(shape: readonly number[]): { fanIn: number; fanOut: number } {
  const window = shape.slice(0, -2).reduce((product, size) => product * size, 1);
  return { fanIn: window * (shape.at(-2) ?? 1), fanOut: window * (shape.at(-1) ?? 1) };
}

function normal(shape: readonly number[], deviation: number, random: RandomStream): Float32Array {
  const size = shape.reduce((product, axis) => product * axis, 1);
  // A loop: `Float32Array.from` with a function takes three times as long, seconds for a large network.
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) values[i] = deviation * random.normal();
  return values;
}

/**
 * Kaiming normal values with fan-out and the gain of ReLU: N(0, 2 / fanOut).
 *
 * Not truncated, as PyTorch's `kaiming_normal_(mode='fan_out', nonlinearity='relu')`; TensorFlow.js's own
 * `heNormal` is truncated and uses fan-in.
 *
 * @param shape Kernel shape in TensorFlow's layout, for example `[3, 3, in, out]`.
 * @returns Values in C order.
 * @see G2D, App. A.4.1
 */
export function kaimingNormal(shape: readonly number[], random: RandomStream): Float32Array {
  return normal(shape, Math.sqrt(2 / fans(shape).fanOut), random);
}

/**
 * Xavier normal values: N(0, 2 / (fanIn + fanOut)), not truncated, as PyTorch's `xavier_normal_`.
 *
 * @param shape Kernel shape in TensorFlow's layout, for example `[in, out]`.
 * @returns Values in C order.
 * @see G2D, App. A.4.1
 */
export function xavierNormal(shape: readonly number[], random: RandomStream): Float32Array {
  const { fanIn, fanOut } = fans(shape);
  return normal(shape, Math.sqrt(2 / (fanIn + fanOut)), random);
}

import * as tf from '@tensorflow/tfjs-core';
import { OptionError } from '@g2d/core';

/**
 * The same values; the gradient that flows back through them is multiplied by a constant.
 *
 * y = x,  ∂L/∂x = c ∂L/∂y
 *
 * As c x + (1 − c) stopGradient(x), without its rounding. c = 0 gives a gradient of zeros, where `stopGradient` gives
 * none; a negative c turns the direction round.
 *
 * @param x Of any shape, float32.
 * @param c Finite.
 * @returns A tensor of its own; dispose it. The input is left alone.
 * @throws {OptionError} If c is not finite.
 * @example
 * const { grads } = tf.variableGrads(() => tf.sum(scaleGradient(tf.square(w), 0.5))); // w, where the sum alone has 2 w
 * @see Li et al., "Boosting Multi-modal Model Performance with Adaptive Gradient Modulation" (AGM), ICCV 2023
 */
export function scaleGradient<T extends tf.Tensor>(x: T, c: number): T {
  if (!Number.isFinite(c)) {
    throw new OptionError(`The factor of a gradient is ${c}; it must be a finite number.`, {
      option: 'c',
      value: c,
      accepted: 'a finite number',
    });
  }
  const scaled = tf.customGrad<T>((value) => ({
    value: tf.clone(value as T),
    gradFunc: (dy) => tf.mul(dy, c),
  }));
  return scaled(x);
}

/**
 * The same values as a constant: no gradient flows back through them.
 *
 * A loss that depends on its variables through such values alone has no gradient, which `tf.variableGrads` refuses.
 *
 * @param x Of any shape.
 * @returns A tensor of its own; dispose it. The input is left alone.
 * @example
 * const { grads } = tf.variableGrads(() => tf.sum(tf.mul(w, stopGradient(w)))); // w, where the square has 2 w
 */
export function stopGradient<T extends tf.Tensor>(x: T): T {
  // What runs inside of a custom gradient is not recorded, and this one has no inputs to give gradients to.
  return tf.customGrad<T>(() => ({ value: tf.clone(x), gradFunc: () => [] }))();
}

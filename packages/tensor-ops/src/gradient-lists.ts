import * as tf from '@tensorflow/tfjs-core';
import { assertSameShape } from './assert.js';
import { readTogether } from './read-together.js';
import { OptionError } from '@g2d/core';
import type { NamedGradient } from '@g2d/core';

/**
 * Inner product of two lists of gradients, as if each were one long vector.
 *
 * ⟨a, b⟩ = Σ_n Σ_i a_n,i b_n,i
 *
 * Entries are paired by name; `null` counts as zeros. Sums of different variables are added in float64.
 *
 * @param a Every variable once.
 * @param b The same variables, in any order.
 * @param names Which variables count; default: all.
 * @throws {OptionError} If a name is not in both lists.
 * @throws {ShapeError} If two gradients of one variable differ in shape.
 * @example
 * gradientDot(ofFusedLoss, ofOwnLoss, encoderVariables) < 0; // the two losses are in conflict
 */
export function gradientDot(
  a: readonly NamedGradient[],
  b: readonly NamedGradient[],
  names?: Iterable<string>,
): number {
  const [ofA, ofB] = [byName(a), byName(b)];
  const counted = new Set(names ?? [...ofA.keys(), ...ofB.keys()]);
  for (const name of counted) {
    for (const list of [ofA, ofB]) if (!list.has(name)) throw missing(name, list);
  }
  // Read back at once, not one by one.
  const products = tf.tidy(() => {
    const sums = [...counted].flatMap((name) => {
      const [x, y] = [ofA.get(name), ofB.get(name)];
      if (!x || !y) return [];
      assertSameShape(`b: ${name}`, y, `a: ${name}`, x);
      return [tf.sum(tf.mul(x, y))];
    });
    return readTogether(sums).map(([sum]) => sum as number);
  });
  return products.reduce((sum, product) => sum + product, 0);
}

/**
 * Euclidean length of a list of gradients, as if it were one long vector: ‖a‖ = √⟨a, a⟩.
 *
 * @param names Which variables count; default: all.
 * @throws {OptionError} If a name is not in the list.
 */
export function gradientNorm(a: readonly NamedGradient[], names?: Iterable<string>): number {
  return Math.sqrt(gradientDot(a, a, names));
}

/**
 * Cosine of the angle between two lists of gradients: ⟨a, b⟩ / (‖a‖ ‖b‖), 0 if one of them is zero.
 *
 * @param names Which variables count; default: all.
 * @throws {OptionError} If a name is not in both lists.
 */
export function gradientCosine(
  a: readonly NamedGradient[],
  b: readonly NamedGradient[],
  names?: Iterable<string>,
): number {
  // Read once: an iterator may not begin again.
  const counted = names && [...names];
  const lengths = gradientNorm(a, counted) * gradientNorm(b, counted);
  return lengths === 0 ? 0 : Math.max(-1, Math.min(1, gradientDot(a, b, counted) / lengths));
}

/**
 * Multiplies each gradient of a list by a factor of its variable.
 *
 * @param factorOf Finite. 1 leaves a gradient as it is, 0 makes it zeros, also where it is not finite.
 * @returns The same variables in the same order, `null` where there was `null`. New tensors are the caller's; with a
 * factor of 1 they are the ones given.
 * @throws {OptionError} If a factor is not finite.
 * @example
 * const clipped = scaleGradients(gradients, () => Math.min(1, 1 / gradientNorm(gradients)));
 */
export function scaleGradients(
  gradients: readonly NamedGradient[],
  factorOf: (variable: string) => number,
): NamedGradient[] {
  const factors = gradients.map(({ name }) => {
    const factor = factorOf(name);
    if (Number.isFinite(factor)) return factor;
    throw new OptionError(
      `The factor of the gradient of "${name}" is ${factor}; it must be a finite number.`,
      {
        option: 'factorOf',
        value: factor,
        accepted: 'a finite number',
      },
    );
  });
  return gradients.map(({ name, tensor }, i) => {
    const factor = factors[i] as number;
    if (!tensor || factor === 1) return { name, tensor };
    return { name, tensor: factor === 0 ? tf.zerosLike(tensor) : tf.mul(tensor, factor) };
  });
}

const byName = (gradients: readonly NamedGradient[]): ReadonlyMap<string, tf.Tensor | null> =>
  new Map(gradients.map(({ name, tensor }) => [name, tensor]));

function missing(name: string, list: ReadonlyMap<string, unknown>): OptionError {
  const known = [...list.keys()].join(', ');
  return new OptionError(
    `There is no entry for "${name}" in a list of gradients of ${list.size} variables. A list has every variable, \`null\` where there is no gradient; \`orderedGradients\` makes one.`,
    { option: 'gradients', value: name, accepted: known },
  );
}

import * as tf from '@tensorflow/tfjs-core';
import { OptionError, type NamedGradient } from '@g2d/tensor-ops';

/**
 * Multiplies each variable's gradient by its factor κ.
 *
 * g̃ = κ_m · g for the variables of modality m, g̃ = g for all others
 *
 * @param gradients One entry for every trainable variable, in an order that never changes.
 * @param coefficientOf κ of a variable, by name; 1 leaves its gradient as it is.
 * @param suppression What κ = 0 means. `'zero'`: a gradient of zeros, so momentum and weight decay still move the
 * variable (Eq. 8 to the letter, and the released code). `'freeze'`: `null`, the optimizer skips the variable.
 * @param variables Give zeros their shapes, by name, where the tape did not compute a gradient.
 * @returns A list in the same order. New tensors are the caller's; entries with κ = 1 are the ones given.
 * @throws {OptionError} If a suppressed gradient has no variable of its name.
 * @see G2D, Sec. 3.2, Eq. 8
 */
export function modulateGradients(
  gradients: readonly NamedGradient[],
  coefficientOf: (variable: string) => number,
  suppression: 'zero' | 'freeze',
  variables: readonly tf.Variable[],
): NamedGradient[] {
  const shapes = new Map(variables.map(({ name, shape }) => [name, shape]));
  return gradients.map((gradient) => {
    const { name, tensor } = gradient;
    const coefficient = coefficientOf(name);
    if (coefficient === 1) return gradient;
    if (coefficient === 0) {
      // Never 0 · g: a gradient that is not finite would survive as NaN.
      if (suppression === 'freeze') return { name, tensor: null };
      const shape = shapes.get(name);
      if (!shape) {
        throw new OptionError(`There is a gradient for "${name}" but no variable of that name.`, {
          option: 'variables',
          value: name,
          accepted: [...shapes.keys()].join(', '),
        });
      }
      return { name, tensor: tf.zeros(shape) };
    }
    return { name, tensor: tensor && tf.mul(tensor, coefficient) };
  });
}

import * as tf from '@tensorflow/tfjs-core';
import type { NamedGradient } from '@g2d/core';

/**
 * Multiplies each variable's gradient by its factor κ.
 *
 * g̃ = κ_m · g for the variables of modality m, g̃ = g for all others
 *
 * @param grads From `tf.variableGrads`; suppressed variables may be absent.
 * @param variables Every trainable variable, in an order that never changes: optimizers keep their state by position.
 * @param coefficientOf κ of a variable; 1 leaves its gradient as it is.
 * @param onZero What κ = 0 means. `'zero'`: a gradient of zeros, so momentum and weight decay still move the variable
 * (Eq. 8 to the letter, and the released code). `'freeze'`: `null`, the optimizer skips the variable.
 * `tf.train.adam` counts its steps for all variables together, so that one released late starts without bias correction; the
 * `Adam` of @g2d/tensor-ops counts for each.
 * @returns One entry for every variable, in their order. New tensors are the caller's; with κ = 1 they are the ones given.
 * @see G2D, Sec. 3.2, Eq. 8
 */
export function modulateGradients(
  grads: tf.NamedTensorMap,
  variables: readonly tf.Variable[],
  coefficientOf: (variable: tf.Variable) => number,
  onZero: 'zero' | 'freeze',
): NamedGradient[] {
  return variables.map((variable) => {
    const { name, trainable } = variable;
    const tensor = grads[name] ?? null;
    const coefficient = coefficientOf(variable);
    // Never 0 · g: a gradient that is not finite would survive as NaN. Zeros would let weight decay move what is not trainable.
    // `zerosLike` and not `zeros`, which fills an array in JavaScript and copies it to the backend.
    if (coefficient === 0)
      return { name, tensor: onZero === 'zero' && trainable ? tf.zerosLike(variable) : null };
    return { name, tensor: tensor && coefficient !== 1 ? tf.mul(tensor, coefficient) : tensor };
  });
}

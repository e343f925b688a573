import type { NamedGradient } from '@g2d/core';
import type * as tf from '@tensorflow/tfjs-core';

/**
 * The gradients of all `variables` in their order, whatever `tf.variableGrads` left out.
 *
 * `tf.variableGrads` omits variables that the loss does not reach; an optimizer that keeps its state by position
 * would then update the wrong ones. Missing entries become `null`.
 *
 * @param grads As `tf.variableGrads` returns them.
 * @param variables Every trainable variable, in the order that never changes.
 */
export function orderedGradients(
  grads: tf.NamedTensorMap,
  variables: readonly tf.Variable[],
): NamedGradient[] {
  return variables.map(({ name }) => ({ name, tensor: grads[name] ?? null }));
}

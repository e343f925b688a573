import type * as tf from '@tensorflow/tfjs-core';

/**
 * The gradient of one variable. A tensor of zeros lets momentum and weight decay go on; `null` leaves the variable alone: no step,
 * no decay, no momentum.
 */
export interface NamedGradient {
  /** The variable's name in this process: `variable.name`. */
  readonly name: string;
  readonly tensor: tf.Tensor | null;
}

/** One entry for every parameter of a model, in the order of `model.parameters`, which never changes. */
export type Gradients = readonly NamedGradient[];

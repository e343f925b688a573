import type * as tf from '@tensorflow/tfjs-core';
import type { Parameter } from './model.js';

/**
 * The gradient of one variable, as an optimizer takes it. A tensor of zeros lets momentum and weight decay go on; `null` leaves the
 * variable alone: no step, no decay, no momentum.
 */
export interface NamedGradient {
  /** The variable's name in this process: `variable.name`. */
  readonly name: string;
  readonly tensor: tf.Tensor | null;
}

/** A gradient that knows its parameter. */
export interface Gradient<M extends string> extends NamedGradient {
  readonly parameter: Parameter<M>;
}

/** One entry for every parameter of a model, in the order of `model.parameters`, which never changes. */
export type Gradients<M extends string> = readonly Gradient<M>[];

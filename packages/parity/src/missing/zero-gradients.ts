import * as tf from '@tensorflow/tfjs-core';
import type { Gradients, Method, NamedGradient } from '@g2d/core';
import type { Place } from './held-tensors.js';

/** A tensor whose gradient, or that of some of its rows, is 0 but for rounding, which Adam would turn into steps. */
export interface ZeroGradient {
  readonly tensor: string;
  /** Default: all. */
  readonly rows?: readonly number[] | undefined;
}

/** A method whose optimizer gets exactly 0 for some gradients, as the official program of a case did. */
export function withZeroGradients(
  method: Method<string>,
  zeros: readonly ZeroGradient[],
  placeOf: (name: string) => Place | undefined,
): Method<string> {
  const byVariable = new Map(
    zeros.map((zero) => {
      const { weight } = placeOf(zero.tensor) as Place;
      return [(weight.read() as tf.Variable).name, zero];
    }),
  );
  const edited = (gradient: NamedGradient): NamedGradient => {
    const zero = byVariable.get(gradient.name);
    if (!zero || !gradient.tensor) return gradient;
    const kept = Array.from({ length: gradient.tensor.shape[0] as number }, (_, row) =>
      Number(zero.rows !== undefined && !zero.rows.includes(row)),
    );
    const shape = [-1, ...gradient.tensor.shape.slice(1).map(() => 1)];
    return { ...gradient, tensor: tf.mul(gradient.tensor, tf.reshape(tf.tensor1d(kept), shape)) };
  };
  return { ...method, edit: (gradients: Gradients<string>) => gradients.map(edited) };
}

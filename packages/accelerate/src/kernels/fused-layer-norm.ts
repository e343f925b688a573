import * as tf from '@tensorflow/tfjs-core';
import {
  attribute,
  defineKernel,
  disposeSaved,
  hasOperation,
  runKernel,
  tensorflow,
} from '@g2d/tensor-ops/tensorflow';
import { drawOf, factorAttribute } from './dropout.js';

// Layer normalization with the sum and the dropout before it, as `@g2d/native` adds it to TensorFlow: each way once through memory,
// where TensorFlow's operations go ten times.
const OPERATION = 'G2dV2LayerNorm';
const KERNEL = 'G2dFusedLayerNorm';

/** What is normalized, residual + dropout(x), or x alone, and the weights of the normalization. */
export interface LayerNormInputs {
  readonly x: tf.Tensor;
  /** Of x's shape. */
  readonly residual?: tf.Tensor;
  readonly gamma: tf.Tensor;
  readonly beta: tf.Tensor;
}

interface LayerNormAttributes {
  readonly epsilon: number;
  /** Of x; 0 for none, and without a residual. */
  readonly rate: number;
  readonly seed: number;
  /** Which of equal parts of a batch x is; default: 0. */
  readonly part?: number | undefined;
}

function forward(
  { x, residual, gamma, beta }: Readonly<Record<string, tf.Tensor>>,
  { epsilon, rate, seed, part }: LayerNormAttributes,
): tf.Tensor[] {
  const draw = drawOf(rate, [seed], part);
  const other = residual ?? tf.tensor1d([], 'float32');
  const [y, sum, ...statistics] = tensorflow().executeMultipleOutputs(
    OPERATION,
    [attribute.float('epsilon', epsilon), factorAttribute(rate)],
    [x, other, gamma, beta, draw] as tf.Tensor[],
    4,
  );
  if (residual) return [y, sum, ...statistics, draw] as tf.Tensor[];
  tf.dispose([other, sum as tf.Tensor]);
  return [y, tf.clone(x as tf.Tensor), ...statistics, draw] as tf.Tensor[];
}

/** Registers the kernel and its gradient for the `tensorflow` backend. */
export function registerFusedLayerNorm(): void {
  // Beside y: the sum, its means and 1/σ, and what dropout is drawn from.
  defineKernel<LayerNormAttributes>({
    name: KERNEL,
    inputsToSave: ['gamma'],
    outputsToSave: [false, true, true, true, true],
    forward,
    gradient: ([dy], [gamma, sum, mean, inverse, draw], { rate }) => {
      const [dsum, dx, dgamma, dbeta] = tensorflow().executeMultipleOutputs(
        `${OPERATION}Grad`,
        [factorAttribute(rate)],
        [sum, dy, gamma, mean, inverse, draw] as tf.Tensor[],
        4,
      ) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
      return {
        // Two handles of one buffer: the tape may free either first.
        x: () => (rate > 0 ? dx : tf.clone(dsum)),
        residual: () => dsum,
        gamma: () => dgamma,
        beta: () => dbeta,
      };
    },
  });
}

/** Whether the operation is there, and computes this: at least one value. */
export const canFuseLayerNorm = ({ size }: { readonly size: number }): boolean =>
  size > 0 &&
  hasOperation(OPERATION, () => {
    const x = tf.ones([1]);
    forward({ x, gamma: x, beta: x }, { epsilon: 1, rate: 0, seed: 0 });
  });

/** y = gamma (s − μ) / √(σ² + epsilon) + beta over the last axis of s = residual + dropout(x), or of x. */
export function fusedLayerNorm(inputs: LayerNormInputs, attributes: LayerNormAttributes): tf.Tensor {
  const [y, ...kept] = runKernel<tf.Tensor[]>(KERNEL, { ...inputs }, attributes) as [
    tf.Tensor,
    ...tf.Tensor[],
  ];
  disposeSaved(kept);
  return y;
}

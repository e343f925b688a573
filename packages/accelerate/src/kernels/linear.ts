import * as tf from '@tensorflow/tfjs-core';
import { attribute, defineKernel, execute, runKernel } from '@g2d/tensor-ops/tensorflow';
import type { Precision } from './bfloat16.js';
import { activationGradient, isLinear, LINEAR, type Activation } from './activation.js';
import { matMul, matMulWithBias } from './product.js';

const LINEAR_KERNEL = 'G2dLinear';
const ACTIVATED_KERNEL = 'G2dLinearActivation';
const BIAS_ADD = 'G2dBiasAdd';

const dataFormat = () => [attribute.float32Type(), attribute.string('data_format', 'NHWC')];

const biasGradient = (dy: tf.Tensor): tf.Tensor => execute('BiasAddGrad', dataFormat(), [dy]);

interface Rounding {
  readonly precision: Precision;
}

const gradients = (dy: tf.Tensor, x: tf.Tensor, kernel: tf.Tensor, { precision }: Rounding) => ({
  x: () => matMul(dy, kernel, 'b', precision),
  kernel: () => matMul(x, dy, 'a', precision),
  bias: () => biasGradient(dy),
});

/** Registers the kernels and their gradients for the `tensorflow` backend. */
export function registerLinear(): void {
  defineKernel<Rounding>({
    name: LINEAR_KERNEL,
    inputsToSave: ['x', 'kernel'],
    forward: ({ x, kernel, bias }, { precision }) =>
      bias
        ? matMulWithBias(x as tf.Tensor, kernel as tf.Tensor, bias, LINEAR, precision)
        : matMul(x as tf.Tensor, kernel as tf.Tensor, 'none', precision),
    gradient: ([dy], [x, kernel], rounding) =>
      gradients(dy as tf.Tensor, x as tf.Tensor, kernel as tf.Tensor, rounding),
  });
  defineKernel<Activation & Rounding>({
    name: ACTIVATED_KERNEL,
    inputsToSave: ['x', 'kernel'],
    outputsToSave: [true],
    forward: ({ x, kernel, bias }, { precision, ...activation }) =>
      matMulWithBias(x as tf.Tensor, kernel as tf.Tensor, bias as tf.Tensor, activation, precision),
    gradient: ([dy], [x, kernel, y], { precision, ...activation }, spend) => {
      const inner = activationGradient(dy as tf.Tensor, y as tf.Tensor, activation);
      spend(inner);
      return gradients(inner, x as tf.Tensor, kernel as tf.Tensor, { precision });
    },
  });
  defineKernel({
    name: BIAS_ADD,
    forward: ({ x, bias }) => execute('BiasAdd', dataFormat(), [x, bias] as tf.Tensor[]),
    gradient: ([dy]) => ({
      x: () => tf.clone(dy as tf.Tensor),
      bias: () => biasGradient(dy as tf.Tensor),
    }),
  });
}

/** `[N, D]` × `[D, K]` → `[N, K]`, plus a bias `[K]` if there is one, and the activation, for which there must be one. */
export const linear = (
  x: tf.Tensor,
  kernel: tf.Tensor,
  bias?: tf.Tensor,
  activation: Activation = LINEAR,
  precision: Precision = 'float32',
): tf.Tensor =>
  isLinear(activation)
    ? runKernel(LINEAR_KERNEL, bias ? { x, kernel, bias } : { x, kernel }, { precision })
    : runKernel(ACTIVATED_KERNEL, { x, kernel, bias: bias as tf.Tensor }, { ...activation, precision });

/** Adds `[C]` to the last axis of a tensor of two axes or more. Saves nothing. */
export const biasAdd = (x: tf.Tensor, bias: tf.Tensor): tf.Tensor => runKernel(BIAS_ADD, { x, bias });

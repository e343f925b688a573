import * as tf from '@tensorflow/tfjs-core';
import { attribute, defineKernel, execute, runKernel } from '@g2d/tensor-ops/tensorflow';
import { matMul, matMulWithBias } from './product.js';
import { reluGradient } from './relu.js';

const LINEAR = 'G2dLinear';
const LINEAR_RELU = 'G2dLinearRelu';
const BIAS_ADD = 'G2dBiasAdd';

const dataFormat = () => [attribute.float32Type(), attribute.string('data_format', 'NHWC')];

const biasGradient = (dy: tf.Tensor): tf.Tensor => execute('BiasAddGrad', dataFormat(), [dy]);

const gradients = (dy: tf.Tensor, x: tf.Tensor, kernel: tf.Tensor) => ({
  x: () => matMul(dy, kernel, 'b'),
  kernel: () => matMul(x, dy, 'a'),
  bias: () => biasGradient(dy),
});

/** Registers the kernels and their gradients for the `tensorflow` backend. */
export function registerLinear(): void {
  defineKernel({
    name: LINEAR,
    inputsToSave: ['x', 'kernel'],
    forward: ({ x, kernel, bias }) =>
      bias
        ? matMulWithBias(x as tf.Tensor, kernel as tf.Tensor, bias, false)
        : matMul(x as tf.Tensor, kernel as tf.Tensor),
    gradient: ([dy], [x, kernel]) => gradients(dy as tf.Tensor, x as tf.Tensor, kernel as tf.Tensor),
  });
  defineKernel({
    name: LINEAR_RELU,
    inputsToSave: ['x', 'kernel'],
    outputsToSave: [true],
    forward: ({ x, kernel, bias }) =>
      matMulWithBias(x as tf.Tensor, kernel as tf.Tensor, bias as tf.Tensor, true),
    gradient: ([dy], [x, kernel, y], _, spend) => {
      const inner = reluGradient(dy as tf.Tensor, y as tf.Tensor);
      spend(inner);
      return gradients(inner, x as tf.Tensor, kernel as tf.Tensor);
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

/** `[N, D]` × `[D, K]` → `[N, K]`, plus a bias `[K]` if there is one; rectified, if asked for, where there is. */
export const linear = (x: tf.Tensor, kernel: tf.Tensor, bias?: tf.Tensor, rectified = false): tf.Tensor =>
  runKernel(rectified && bias ? LINEAR_RELU : LINEAR, bias ? { x, kernel, bias } : { x, kernel });

/** Adds `[C]` to the last axis of a tensor of two axes or more. Saves nothing. */
export const biasAdd = (x: tf.Tensor, bias: tf.Tensor): tf.Tensor => runKernel(BIAS_ADD, { x, bias });

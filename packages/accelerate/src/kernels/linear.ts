import * as tf from '@tensorflow/tfjs-core';
import { attribute, defineKernel, execute, runKernel } from '@g2d/tensor-ops/tensorflow';

const LINEAR = 'G2dLinear';
const BIAS_ADD = 'G2dBiasAdd';

const matMul = (a: tf.Tensor, b: tf.Tensor, transposeA = false, transposeB = false): tf.Tensor =>
  execute(
    'MatMul',
    [
      attribute.float32Type(),
      attribute.boolean('transpose_a', transposeA),
      attribute.boolean('transpose_b', transposeB),
    ],
    [a, b],
  );

const dataFormat = () => [attribute.float32Type(), attribute.string('data_format', 'NHWC')];

/** Registers the kernels and their gradients for the `tensorflow` backend. */
export function registerLinear(): void {
  defineKernel({
    name: LINEAR,
    inputsToSave: ['x', 'kernel'],
    forward: ({ x, kernel }) => matMul(x as tf.Tensor, kernel as tf.Tensor),
    gradient: ([dy], [x, kernel]) => ({
      x: () => matMul(dy as tf.Tensor, kernel as tf.Tensor, false, true),
      kernel: () => matMul(x as tf.Tensor, dy as tf.Tensor, true),
    }),
  });
  defineKernel({
    name: BIAS_ADD,
    forward: ({ x, bias }) => execute('BiasAdd', dataFormat(), [x, bias] as tf.Tensor[]),
    gradient: ([dy]) => ({
      x: () => tf.clone(dy as tf.Tensor),
      bias: () => execute('BiasAddGrad', dataFormat(), [dy as tf.Tensor]),
    }),
  });
}

/** `[N, D]` × `[D, K]` → `[N, K]`. */
export const linear = (x: tf.Tensor, kernel: tf.Tensor): tf.Tensor => runKernel(LINEAR, { x, kernel });

/** Adds `[C]` to the last axis of a tensor of two axes or more. Saves nothing. */
export const biasAdd = (x: tf.Tensor, bias: tf.Tensor): tf.Tensor => runKernel(BIAS_ADD, { x, bias });

import * as tf from '@tensorflow/tfjs-core';
import { attribute, execute, hasOperation } from '@g2d/tensor-ops/tensorflow';
import { activated, activationAttributes, isLinear, LINEAR, type Activation } from './activation.js';

// Products of matrices, as `@g2d/native` adds them to TensorFlow; without it TensorFlow's own.
const MAT_MUL = 'G2dV1MatMul';
const WITH_BIAS = 'G2dV1MatMulWithBias';

/** Which side is taken with rows and columns exchanged. */
export type Transposed = 'a' | 'b' | 'none';

const sides = (a: string, b: string, transposed: Transposed) => [
  attribute.boolean(a, transposed === 'a'),
  attribute.boolean(b, transposed === 'b'),
];

const own = (transposed: Transposed) => sides('transpose_a', 'transpose_b', transposed);

function attempt(): void {
  const one = tf.ones([1, 1]);
  execute(MAT_MUL, own('none'), [one, one]);
  execute(WITH_BIAS, [...own('none'), ...activationAttributes(LINEAR)], [one, one, tf.ones([1])]);
}

/** a · b of two axes, or of as many matrices as all axes before them say, the same for both. Not on the tape. */
export function matMul(a: tf.Tensor, b: tf.Tensor, transposed: Transposed = 'none'): tf.Tensor {
  if (hasOperation(MAT_MUL, attempt)) return execute(MAT_MUL, own(transposed), [a, b]);
  return a.rank === 2
    ? execute('MatMul', [attribute.float32Type(), ...own(transposed)], [a, b])
    : execute('BatchMatMulV2', [attribute.float32Type(), ...sides('adj_x', 'adj_y', transposed)], [a, b]);
}

/** a · b + bias for each column, and the activation of that, of two axes. Not on the tape. */
export function matMulWithBias(
  a: tf.Tensor,
  b: tf.Tensor,
  bias: tf.Tensor,
  activation: Activation,
): tf.Tensor {
  if (hasOperation(MAT_MUL, attempt))
    return execute(WITH_BIAS, [...own('none'), ...activationAttributes(activation)], [a, b, bias]);
  const product = matMul(a, b);
  const format = [attribute.float32Type(), attribute.string('data_format', 'NHWC')];
  const sum = execute('BiasAdd', format, [product, bias]);
  product.dispose();
  if (isLinear(activation)) return sum;
  const y = activated(sum, activation);
  sum.dispose();
  return y;
}

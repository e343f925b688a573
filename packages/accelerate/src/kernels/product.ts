import * as tf from '@tensorflow/tfjs-core';
import { attribute, execute, hasOperation } from '@g2d/tensor-ops/tensorflow';
import { activated, activationAttributes, isLinear, LINEAR, type Activation } from './activation.js';
import { inPrecision, type Precision } from './bfloat16.js';

// Products of matrices, as `@g2d/native` adds them to TensorFlow; without it TensorFlow's own.
const MAT_MUL = 'G2dV2MatMul';
const WITH_BIAS = 'G2dV2MatMulWithBias';

/** Which side is taken with rows and columns exchanged. */
export type Transposed = 'a' | 'b' | 'none';

const sides = (a: string, b: string, transposed: Transposed) => [
  attribute.boolean(a, transposed === 'a'),
  attribute.boolean(b, transposed === 'b'),
];

const own = (transposed: Transposed) => sides('transpose_a', 'transpose_b', transposed);

const ours = (transposed: Transposed, rounded: boolean) => [
  ...own(transposed),
  attribute.boolean('round_to_bfloat16', rounded),
];

function attempt(rounded: boolean): void {
  const one = tf.ones([1, 1]);
  execute(MAT_MUL, ours('none', rounded), [one, one]);
  execute(WITH_BIAS, [...ours('none', rounded), ...activationAttributes(LINEAR)], [one, one, tf.ones([1])]);
}

const hasOwn = (): boolean => hasOperation(MAT_MUL, () => attempt(false));

/**
 * Whether products of bfloat16 are ours: on processors with vectors of it and without AMX. There convolutions that are not products stay
 * float32, in which ours are faster than TensorFlow's in bfloat16.
 */
export const hasOwnBfloat16 = (): boolean => hasOperation(`${MAT_MUL} of bfloat16`, () => attempt(true));

/** Products of fewer multiplications, as those of most heads, are not worth the rounding. */
export const isWorthRounding = (multiplications: number): boolean => multiplications >= 1 << 22;

function isRounded(a: tf.Tensor, b: tf.Tensor, transposed: Transposed, precision: Precision): boolean {
  const depth = a.shape.at(transposed === 'a' ? -2 : -1) as number;
  return precision === 'bfloat16' && a.rank === 2 && isWorthRounding((a.size * b.size) / depth);
}

/**
 * a · b of two axes, or of as many matrices as all axes before them say, the same for both. Not on the tape.
 *
 * @param precision `'bfloat16'` rounds both sides of large products of two axes, and adds up in float32.
 */
export function matMul(
  a: tf.Tensor,
  b: tf.Tensor,
  transposed: Transposed = 'none',
  precision: Precision = 'float32',
): tf.Tensor {
  const rounded = isRounded(a, b, transposed, precision);
  if (rounded && !hasOwnBfloat16()) {
    return inPrecision(precision, [a, b], (operands, type) =>
      execute('MatMul', [attribute.type('T', type), ...own(transposed)], operands),
    );
  }
  if (hasOwn()) return execute(MAT_MUL, ours(transposed, rounded), [a, b]);
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
  precision: Precision = 'float32',
): tf.Tensor {
  const rounded = isRounded(a, b, 'none', precision);
  if (rounded ? hasOwnBfloat16() : hasOwn()) {
    return execute(WITH_BIAS, [...ours('none', rounded), ...activationAttributes(activation)], [a, b, bias]);
  }
  const product = matMul(a, b, 'none', precision);
  const format = [attribute.float32Type(), attribute.string('data_format', 'NHWC')];
  const sum = execute('BiasAdd', format, [product, bias]);
  product.dispose();
  if (isLinear(activation)) return sum;
  const y = activated(sum, activation);
  sum.dispose();
  return y;
}

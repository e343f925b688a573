import type { Attribute } from '@g2d/tensor-ops/tensorflow';

/** A tensor that an operation reads or makes. */
export interface Operand {
  readonly shape: readonly number[];
  /** Of one of its numbers. */
  readonly bytes: number;
}

/** One call of an operation of TensorFlow. */
export interface OperationCall {
  /** TensorFlow's name for it. */
  readonly operation: string;
  readonly attributes: readonly Attribute[];
  readonly inputs: readonly Operand[];
  readonly outputs: readonly Operand[];
}

/** What a call has to do at least. */
export interface OperationWork {
  /** Of convolutions and products; of a convolution as many as without a transform. Two floating-point operations each. */
  readonly multiplyAdds: number;
  /** All inputs and outputs once. */
  readonly bytes: number;
}

/** An optional gradient behind it. `Conv2D` and `DepthwiseConv2dNative` are TensorFlow's, with or without oneDNN. */
const CONVOLUTION =
  /^(?:G2dV\d+|_MklNative)?(?:Conv2D|Conv3x3|Depthwise(?:Conv2dNative)?)(?:WithBias)?(BackpropInput|BackpropFilter)?$/;
const PRODUCT = /^(?:(?:Batch)?MatMul(?:V2)?|G2dV\d+MatMul(?:WithBias)?)$/;
const ATTENTION = /^G2dV\d+Attention(Grad)?$/;

/** Scores and their sums of values; the gradient computes the scores again, and one product for each of four gradients. */
const ATTENTION_PRODUCTS = { forward: 2, gradient: 5 };

/** They hand on the buffer that they get. */
const VIEWS = new Set(['AssignVariableOp', 'ExpandDims', 'Identity', 'ReadVariableOp', 'Reshape', 'Squeeze']);

/** Update operations, by how many of TensorFlow's variables they read and write; each is as large as the gradient. */
const UPDATED = new Map([
  ['ResourceApplyGradientDescent', 1],
  ['ResourceApplyMomentum', 2],
]);

/**
 * The work of one call, from its shapes alone.
 *
 * @example
 * const matrix = { shape: [2, 2], bytes: 4 };
 * workOf({ operation: 'MatMul', attributes: [], inputs: [matrix, matrix], outputs: [matrix] }); // { multiplyAdds: 8, bytes: 48 }
 */
export const workOf = (call: OperationCall): OperationWork => ({
  multiplyAdds: multiplyAddsOf(call),
  bytes: bytesOf(call),
});

function multiplyAddsOf(call: OperationCall): number {
  const convolution = CONVOLUTION.exec(call.operation);
  if (convolution) return convolutionOf(call, convolution[1]);
  if (PRODUCT.test(call.operation)) return productOf(call);
  const attention = ATTENTION.exec(call.operation);
  return attention ? attentionOf(call, attention[1] ? 'gradient' : 'forward') : 0;
}

/** Each place of the result, or of its gradient, meets the whole filter. TensorFlow's gradients have a shape among the inputs, ours do not. */
function convolutionOf({ inputs, outputs }: OperationCall, gradient: string | undefined): number {
  const [result, filter] = (
    gradient === undefined
      ? [outputs[0], inputs[1]]
      : [inputs.at(-1), gradient === 'BackpropInput' ? inputs.at(-2) : outputs[0]]
  ) as [Operand, Operand];
  return (sizeOf(result) / (result.shape.at(-1) as number)) * sizeOf(filter);
}

function productOf({ attributes, inputs, outputs }: OperationCall): number {
  const isTransposed = attributes.some(
    ({ name, value }) => (name === 'transpose_a' || name === 'adj_x') && value === true,
  );
  const [a, y] = [inputs[0], outputs[0]] as [Operand, Operand];
  return sizeOf(y) * (a.shape.at(isTransposed ? -2 : -1) as number);
}

/** Of `[B, T, 3·H·d]`: all products are of T × d by d × T, or of T × T by T × d. */
function attentionOf({ inputs }: OperationCall, pass: keyof typeof ATTENTION_PRODUCTS): number {
  const [projected] = inputs as [Operand];
  return ((ATTENTION_PRODUCTS[pass] * sizeOf(projected)) / 3) * (projected.shape[1] as number);
}

function bytesOf({ operation, inputs, outputs }: OperationCall): number {
  if (VIEWS.has(operation)) return 0;
  const tensors = [...inputs, ...outputs].map((operand) => sizeOf(operand) * operand.bytes);
  const variables = (UPDATED.get(operation) ?? 0) * Math.max(0, ...tensors);
  return tensors.reduce((sum, bytes) => sum + bytes, 0) + 2 * variables;
}

const sizeOf = ({ shape }: Operand): number => shape.reduce((product, length) => product * length, 1);

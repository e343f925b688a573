import * as tf from '@tensorflow/tfjs-core';
import {
  attribute,
  defineKernel,
  execute,
  hasOperation,
  oneDnnLabel,
  runKernel,
  tensorflow,
  type Attribute,
} from '@g2d/tensor-ops/tensorflow';
import {
  canFuse,
  canFusePooling,
  fusedBatchNorm,
  fusedBatchNormAddRelu,
  fusedBatchNormReluMaxPool,
  type PaddedWindow,
} from './fused-batch-norm.js';
import type { BatchNormAttributes, BatchNormInputs, BatchNormResult } from './batch-norm-types.js';
import { maxPool } from './max-pool.js';
import { padKernel } from './pad.js';
import { addRelu, relu } from './relu.js';

const KERNEL = 'G2dBatchNorm';
const KERNEL_RELU = 'G2dBatchNormRelu';
const ONEDNN = '_MklNativeFusedBatchNormEx';

const gradientAttributes = ({ epsilon, training }: BatchNormAttributes): Attribute[] => [
  attribute.float32Type(),
  attribute.float32Type('U'),
  attribute.float('epsilon', epsilon),
  attribute.string('data_format', 'NHWC'),
  attribute.boolean('is_training', training),
];

const oneDnnBatchNormRelu = (operands: readonly tf.Tensor[], attributes: readonly Attribute[]): tf.Tensor[] =>
  tensorflow().executeMultipleOutputs(
    ONEDNN,
    [
      ...attributes,
      attribute.string('activation_mode', 'Relu'),
      attribute.integer('num_side_inputs', 0),
      oneDnnLabel(),
    ],
    operands,
    6,
  );

function tryOneDnn(): void {
  const [zeros, ones] = [tf.zeros([1]), tf.ones([1])];
  const options = { epsilon: 1, training: true, momentum: 1, mean: zeros, variance: ones };
  const attributes = [...gradientAttributes(options), attribute.float('exponential_avg_factor', 1)];
  oneDnnBatchNormRelu([tf.ones([2, 1, 1, 1]), ones, zeros, zeros, ones], attributes);
}

function forward(
  inputs: Readonly<Record<string, tf.Tensor>>,
  options: BatchNormAttributes,
  rectified: boolean,
) {
  const operands = [
    inputs['x'],
    inputs['gamma'],
    inputs['beta'],
    options.mean,
    options.variance,
  ] as tf.Tensor[];
  const attributes = [
    ...gradientAttributes(options),
    attribute.float('exponential_avg_factor', options.training ? options.momentum : 1),
  ];
  if (rectified && hasOperation(ONEDNN, tryOneDnn)) return oneDnnBatchNormRelu(operands, attributes);
  const outputs = tensorflow().executeMultipleOutputs('FusedBatchNormV3', attributes, operands, 6);
  if (!rectified) return outputs;
  const [normalized, ...rest] = outputs as [tf.Tensor, ...tf.Tensor[]];
  const y = execute('Relu', [attribute.float32Type()], [normalized]);
  normalized.dispose();
  return [y, ...rest];
}

/** Gradients of x, gamma and beta, computed at once as TensorFlow does. */
function gradients(dy: tf.Tensor, saved: readonly tf.Tensor[], options: BatchNormAttributes) {
  const [x, gamma, beta, ...rest] = tensorflow().executeMultipleOutputs(
    'FusedBatchNormGradV3',
    gradientAttributes(options),
    [dy, ...saved],
    5,
  ) as [tf.Tensor, tf.Tensor, tf.Tensor, ...tf.Tensor[]];
  tf.dispose(rest);
  return { x: () => x, gamma: () => gamma, beta: () => beta };
}

/** Registers the kernels and their gradients for the `tensorflow` backend. */
export function registerBatchNorm(): void {
  defineKernel<BatchNormAttributes>({
    name: KERNEL,
    inputsToSave: ['x', 'gamma'],
    outputsToSave: [false, false, false, true, true, true],
    forward: (inputs, options) => forward(inputs, options, false),
    gradient: ([dy], saved, options) => gradients(dy as tf.Tensor, saved, options),
  });
  defineKernel<BatchNormAttributes>({
    name: KERNEL_RELU,
    inputsToSave: ['x', 'gamma'],
    outputsToSave: [true, false, false, true, true, true],
    forward: (inputs, options) => forward(inputs, options, true),
    gradient: ([dy], [x, gamma, y, ...statistics], options) => {
      const inner = execute('ReluGrad', [attribute.float32Type()], [dy, y] as tf.Tensor[]);
      const result = gradients(inner, [x, gamma, ...statistics] as tf.Tensor[], options);
      inner.dispose();
      return result;
    },
  });
}

/**
 * Batch normalization of `[B, H, W, C]` over all axes but the last, one operation each way, and optionally ReLU in
 * the same operation.
 *
 * y = gamma (x − μ) / √(σ² + epsilon) + beta; μ and the biased σ² of the batch in training, running ones otherwise.
 */
export function batchNorm(
  inputs: BatchNormInputs,
  attributes: BatchNormAttributes,
  options: { readonly relu: boolean },
): BatchNormResult {
  if (canFuse(inputs.x, attributes)) return fusedBatchNorm(inputs, attributes, options);
  const [y, mean, variance, ...reserved] = runKernel<tf.Tensor[]>(
    options.relu ? KERNEL_RELU : KERNEL,
    { ...inputs },
    attributes,
  ) as [tf.Tensor, tf.Tensor, tf.Tensor, ...tf.Tensor[]];
  tf.dispose(reserved);
  return { y, mean, variance };
}

/** max({@link batchNorm}(x) + residual, 0): the end of a residual block. */
export function batchNormAddRelu(
  inputs: BatchNormInputs,
  residual: tf.Tensor,
  attributes: BatchNormAttributes,
): BatchNormResult {
  if (canFuse(inputs.x, attributes)) return fusedBatchNormAddRelu(inputs, residual, attributes);
  const { y: normalized, ...statistics } = batchNorm(inputs, attributes, { relu: false });
  const y = addRelu(normalized, residual);
  normalized.dispose();
  return { y, ...statistics };
}

/** Maximum over windows of max({@link batchNorm}(x), 0) with zeros around it: the start of a residual network. */
export function batchNormReluMaxPool(
  inputs: BatchNormInputs,
  attributes: BatchNormAttributes,
  window: PaddedWindow,
): BatchNormResult {
  if (canFuse(inputs.x, attributes) && canFusePooling(inputs.x, window))
    return fusedBatchNormReluMaxPool(inputs, attributes, window);
  const { y: normalized, ...statistics } = batchNorm(inputs, attributes, { relu: false });
  const padded = window.padding.some((zeros) => zeros > 0)
    ? padKernel(normalized, window.padding, 0)
    : normalized;
  const pooled = maxPool(padded, window);
  // Maximum and ReLU commute, and after it fewer values are left.
  const y = relu(pooled);
  tf.dispose([normalized, padded, pooled]);
  return { y, ...statistics };
}

import * as tf from '@tensorflow/tfjs-core';
import { defineKernel, runKernel } from './define-kernel.js';
import { attribute, execute, hasOneDnn, oneDnnLabel, tensorflow, type Attribute } from './tensorflow.js';

const KERNEL = 'G2dBatchNorm';
const KERNEL_RELU = 'G2dBatchNormRelu';
const ONEDNN = '_MklNativeFusedBatchNormEx';

interface BatchNormAttributes {
  readonly epsilon: number;
  /** Batch statistics (true) or running ones. */
  readonly training: boolean;
  /** Weight of the batch in the new running statistics: PyTorch's `momentum`. */
  readonly momentum: number;
  /** Not inputs of the kernel: nothing is differentiated with respect to them. */
  readonly mean: tf.Tensor;
  readonly variance: tf.Tensor;
}

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

function forward(inputs: Readonly<Record<string, tf.Tensor>>, options: BatchNormAttributes, relu: boolean) {
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
  if (relu && hasOneDnn(ONEDNN, tryOneDnn)) return oneDnnBatchNormRelu(operands, attributes);
  const outputs = tensorflow().executeMultipleOutputs('FusedBatchNormV3', attributes, operands, 6);
  if (!relu) return outputs;
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
 *
 * @returns y, and in training the new running mean and (unbiased) variance, as PyTorch moves them; dispose all three.
 */
export function batchNorm(
  { x, gamma, beta }: { x: tf.Tensor; gamma: tf.Tensor; beta: tf.Tensor },
  attributes: BatchNormAttributes,
  { relu }: { readonly relu: boolean },
): { y: tf.Tensor; mean: tf.Tensor; variance: tf.Tensor } {
  const [y, mean, variance, ...reserved] = runKernel<tf.Tensor[]>(
    relu ? KERNEL_RELU : KERNEL,
    { x, gamma, beta },
    attributes,
  ) as [tf.Tensor, tf.Tensor, tf.Tensor, ...tf.Tensor[]];
  tf.dispose(reserved);
  return { y, mean, variance };
}

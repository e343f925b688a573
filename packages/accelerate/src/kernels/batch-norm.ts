import * as tf from '@tensorflow/tfjs-core';
import {
  activate,
  activated,
  activationAttributes,
  activationGradient,
  addActivated,
  isLinear,
  LINEAR,
  RELU,
  type Activation,
} from './activation.js';
import {
  attribute,
  defineKernel,
  disposeSaved,
  execute,
  hasOperation,
  runKernel,
  tensorflow,
  type Attribute,
} from '@g2d/tensor-ops/tensorflow';
import { canFuse, fusedBatchNorm, fusedBatchNormAdd, fusedBatchNormReluMaxPool } from './fused-batch-norm.js';
import type { BatchNormAttributes, BatchNormInputs, BatchNormResult } from './batch-norm-types.js';
import { fitsWindow, maxPool, type PaddedWindow } from './max-pool.js';
import { padKernel } from './pad.js';
import { sharedStatistics } from '../shared-statistics.js';
import { registerSynchronizedBatchNorm, synchronizedBatchNorm } from './synchronized-batch-norm.js';

const KERNEL = 'G2dBatchNorm';
const KERNEL_ACTIVATED = 'G2dBatchNormActivated';
const INFERENCE = 'G2dBatchNormInference';
const INFERENCE_ACTIVATED = 'G2dBatchNormInferenceActivated';
// In one pass. oneDNN's operation with ReLU (`_MklNativeFusedBatchNormEx`) does that too, but makes NaN 0.
const NATIVE_INFERENCE = 'G2dV2BatchNormInference';

type NormalizationOptions = Pick<BatchNormAttributes, 'epsilon' | 'training'>;
type InferenceAttributes = Pick<BatchNormAttributes, 'epsilon'> & { readonly activation: Activation };

const gradientAttributes = ({ epsilon, training }: NormalizationOptions): Attribute[] => [
  attribute.float32Type(),
  attribute.float32Type('U'),
  attribute.float('epsilon', epsilon),
  attribute.string('data_format', 'NHWC'),
  attribute.boolean('is_training', training),
];

const nativeInference = (
  operands: readonly tf.Tensor[],
  { epsilon, activation }: InferenceAttributes,
): tf.Tensor =>
  execute(
    NATIVE_INFERENCE,
    [attribute.float('epsilon', epsilon), ...activationAttributes(activation)],
    operands,
  );

function tryNativeInference(): void {
  const [zeros, ones] = [tf.zeros([1]), tf.ones([1])];
  nativeInference([tf.ones([1, 1, 1, 1]), ones, zeros, zeros, ones], { epsilon: 1, activation: RELU });
}

const operandsOf = (inputs: Readonly<Record<string, tf.Tensor>>): tf.Tensor[] =>
  ['x', 'gamma', 'beta', 'mean', 'variance'].map((name) => inputs[name] as tf.Tensor);

function forward(
  inputs: Readonly<Record<string, tf.Tensor>>,
  options: NormalizationOptions & { readonly momentum: number },
  activation: Activation,
): tf.Tensor[] {
  const attributes = [
    ...gradientAttributes(options),
    attribute.float('exponential_avg_factor', options.training ? options.momentum : 1),
  ];
  const outputs = tensorflow().executeMultipleOutputs('FusedBatchNormV3', attributes, operandsOf(inputs), 6);
  if (isLinear(activation)) return outputs;
  const [normalized, ...rest] = outputs as [tf.Tensor, ...tf.Tensor[]];
  const y = activated(normalized, activation);
  normalized.dispose();
  return [y, ...rest];
}

/**
 * Gradients of x, gamma and beta, computed at once as TensorFlow does.
 *
 * @param saved x, gamma, mean, variance, and a workspace of training on GPUs. Mean and variance are what the forward
 * operation reserved in training. In inference it may leave those unwritten: then the running ones.
 */
function gradients(dy: tf.Tensor, saved: readonly tf.Tensor[], options: NormalizationOptions) {
  const [x, gamma, beta, ...rest] = tensorflow().executeMultipleOutputs(
    'FusedBatchNormGradV3',
    gradientAttributes(options),
    [dy, ...saved],
    5,
  ) as [tf.Tensor, tf.Tensor, tf.Tensor, ...tf.Tensor[]];
  tf.dispose(rest);
  return { x: () => x, gamma: () => gamma, beta: () => beta };
}

/** The same with running statistics, of which y is a function too. */
function inferenceGradients(
  dy: tf.Tensor,
  [x, gamma, mean, variance]: readonly tf.Tensor[],
  { epsilon }: Pick<InferenceAttributes, 'epsilon'>,
) {
  const workspace = tf.scalar(0);
  const operands = [x, gamma, mean, variance, workspace] as tf.Tensor[];
  const result = gradients(dy, operands, { epsilon, training: false });
  workspace.dispose();
  const [scale, deviation] = [gamma, variance] as [tf.Tensor, tf.Tensor];
  const inverse = () => tf.rsqrt(tf.add(deviation, epsilon));
  return {
    ...result,
    mean: () => tf.neg(tf.mul(result.beta(), tf.mul(scale, inverse()))),
    variance: () => tf.mul(tf.mul(result.gamma(), tf.mul(scale, -0.5)), tf.square(inverse())),
  };
}

/** Registers the kernels and their gradients for the `tensorflow` backend. */
export function registerBatchNorm(): void {
  registerSynchronizedBatchNorm({
    forward: (inputs, epsilon, activation) => inference(inputs, { epsilon, activation }),
    gradients: (dy, saved, epsilon) => gradients(dy, saved, { epsilon, training: false }),
  });
  defineKernel<BatchNormAttributes>({
    name: KERNEL,
    inputsToSave: ['x', 'gamma'],
    outputsToSave: [false, false, false, true, true, true],
    forward: (inputs, options) => forward({ ...inputs, ...statistics(options) }, options, LINEAR),
    gradient: ([dy], saved, options) => gradients(dy as tf.Tensor, saved, options),
  });
  defineKernel<BatchNormAttributes & { readonly activation: Activation }>({
    name: KERNEL_ACTIVATED,
    inputsToSave: ['x', 'gamma'],
    outputsToSave: [true, false, false, true, true, true],
    forward: (inputs, options) => forward({ ...inputs, ...statistics(options) }, options, options.activation),
    gradient: ([dy], [x, gamma, y, ...reserved], options) => {
      const inner = activationGradient(dy as tf.Tensor, y as tf.Tensor, options.activation);
      const result = gradients(inner, [x, gamma, ...reserved] as tf.Tensor[], options);
      inner.dispose();
      return result;
    },
  });
  // The running statistics are inputs, so that the tape keeps what they were at the forward pass.
  const inputsToSave = ['x', 'gamma', 'mean', 'variance'];
  defineKernel<InferenceAttributes>({
    name: INFERENCE,
    inputsToSave,
    forward: inference,
    gradient: ([dy], saved, options) => inferenceGradients(dy as tf.Tensor, saved, options),
  });
  defineKernel<InferenceAttributes>({
    name: INFERENCE_ACTIVATED,
    inputsToSave,
    outputsToSave: [true],
    forward: inference,
    gradient: ([dy], saved, options) => {
      const inner = activationGradient(dy as tf.Tensor, saved.at(-1) as tf.Tensor, options.activation);
      const result = inferenceGradients(inner, saved, options);
      inner.dispose();
      return result;
    },
  });
}

const statistics = ({ mean, variance }: BatchNormAttributes) => ({ mean, variance });

/** y alone: what else the operation gives may be unwritten. */
function inference(inputs: Readonly<Record<string, tf.Tensor>>, options: InferenceAttributes): tf.Tensor {
  const { epsilon, activation } = options;
  const native = !isLinear(activation) && (inputs['x'] as tf.Tensor).size > 0;
  if (native && hasOperation(NATIVE_INFERENCE, tryNativeInference))
    return nativeInference(operandsOf(inputs), options);
  const [y, ...rest] = forward(inputs, { epsilon, training: false, momentum: 1 }, activation);
  tf.dispose(rest);
  return y as tf.Tensor;
}

/**
 * Batch normalization of `[B, H, W, C]` over all axes but the last, one operation each way, and its activation in
 * the same operation.
 *
 * y = gamma (x − μ) / √(σ² + epsilon) + beta; μ and the biased σ² of the batch in training, running ones otherwise.
 */
export function batchNorm(
  inputs: BatchNormInputs,
  attributes: BatchNormAttributes,
  activation: Activation = LINEAR,
): BatchNormResult {
  const linear = isLinear(activation);
  if (!attributes.training) {
    const name = linear ? INFERENCE : INFERENCE_ACTIVATED;
    const options = { epsilon: attributes.epsilon, activation };
    return { y: runKernel(name, { ...inputs, ...statistics(attributes) }, options) };
  }
  if (sharedStatistics()) return synchronizedBatchNorm(inputs, attributes, activation);
  if (canFuse(inputs.x, attributes)) return fusedBatchNorm(inputs, attributes, activation);
  const [y, mean, variance, ...reserved] = runKernel<tf.Tensor[]>(
    linear ? KERNEL : KERNEL_ACTIVATED,
    { ...inputs },
    { ...attributes, activation },
  ) as [tf.Tensor, tf.Tensor, tf.Tensor, ...tf.Tensor[]];
  disposeSaved(reserved);
  return { y, mean, variance };
}

/** The activation of {@link batchNorm}(x) + residual: the end of a residual block. */
export function batchNormAdd(
  inputs: BatchNormInputs,
  residual: tf.Tensor,
  attributes: BatchNormAttributes,
  activation: Activation,
): BatchNormResult {
  if (canFuse(inputs.x, attributes)) return fusedBatchNormAdd(inputs, residual, attributes, activation);
  const { y: normalized, ...statistics } = batchNorm(inputs, attributes);
  const y = addActivated(normalized, residual, activation);
  normalized.dispose();
  return { y, ...statistics };
}

/** Maximum over windows of max({@link batchNorm}(x), 0) with zeros around it: the start of a residual network. */
export function batchNormReluMaxPool(
  inputs: BatchNormInputs,
  attributes: BatchNormAttributes,
  window: PaddedWindow,
): BatchNormResult {
  if (canFuse(inputs.x, attributes) && fitsWindow(inputs.x, window))
    return fusedBatchNormReluMaxPool(inputs, attributes, window);
  const { y: normalized, ...statistics } = batchNorm(inputs, attributes);
  const padded = window.padding.some((zeros) => zeros > 0)
    ? padKernel(normalized, window.padding, 0)
    : normalized;
  const pooled = maxPool(padded, window);
  // Maximum and ReLU commute, and after it fewer values are left.
  const y = activate(pooled, RELU);
  tf.dispose([normalized, padded, pooled]);
  return { y, ...statistics };
}

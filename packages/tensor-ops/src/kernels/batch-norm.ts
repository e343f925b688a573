import * as tf from '@tensorflow/tfjs-core';
import { attribute, TENSORFLOW, tensorflow, type Attribute } from './tensorflow.js';

/** Batch normalization over the last axis of `[B, H, W, C]` as one operation each way. */
const KERNEL = 'G2dBatchNorm';

interface BatchNormAttributes {
  readonly epsilon: number;
  /** Batch statistics (true) or running ones. */
  readonly training: boolean;
  /** Weight of the batch in the new running statistics: PyTorch's `momentum`. */
  readonly momentum: number;
}

const shared = ({ epsilon, training }: BatchNormAttributes): Attribute[] => [
  attribute.float32Type(),
  attribute.float32Type('U'),
  attribute.float('epsilon', epsilon),
  attribute.string('data_format', 'NHWC'),
  attribute.boolean('is_training', training),
];

/** Registers the kernel and its gradient for the `tensorflow` backend. */
export function registerBatchNorm(): void {
  tf.registerKernel({
    kernelName: KERNEL,
    backendName: TENSORFLOW,
    kernelFunc: ({ inputs, attrs }) => {
      const { x, gamma, beta, mean, variance } = inputs as Record<string, tf.Tensor>;
      const options = attrs as unknown as BatchNormAttributes;
      return tensorflow().executeMultipleOutputs(
        'FusedBatchNormV3',
        [
          ...shared(options),
          attribute.float('exponential_avg_factor', options.training ? options.momentum : 1),
        ],
        [x, gamma, beta, mean, variance] as tf.Tensor[],
        6,
      );
    },
  });
  tf.registerGradient({
    kernelName: KERNEL,
    inputsToSave: ['x', 'gamma'],
    outputsToSave: [false, false, false, true, true, true],
    gradFunc: (dy, saved, attrs) => {
      const gradients = tensorflow().executeMultipleOutputs(
        'FusedBatchNormGradV3',
        shared(attrs as unknown as BatchNormAttributes),
        [(dy as tf.Tensor[])[0] as tf.Tensor, ...saved],
        5,
      );
      return {
        x: () => gradients[0] as tf.Tensor,
        gamma: () => gradients[1] as tf.Tensor,
        beta: () => gradients[2] as tf.Tensor,
      };
    },
  });
}

/**
 * Runs the kernel. `registerBatchNorm` must have been called.
 *
 * @returns The normalized tensor, and in training the new running mean and (unbiased) variance, as PyTorch moves them.
 */
export function batchNorm(
  inputs: { x: tf.Tensor; gamma: tf.Tensor; beta: tf.Tensor; mean: tf.Tensor; variance: tf.Tensor },
  attributes: BatchNormAttributes,
): { y: tf.Tensor; mean: tf.Tensor; variance: tf.Tensor } {
  const [y, mean, variance, ...reserved] = tf
    .engine()
    .runKernel(KERNEL, inputs, attributes as unknown as tf.NamedAttrMap) as unknown as tf.Tensor[];
  tf.dispose(reserved);
  return { y, mean, variance } as { y: tf.Tensor; mean: tf.Tensor; variance: tf.Tensor };
}

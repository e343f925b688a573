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

const KERNEL = 'G2dMaxPool';
const KERNEL_ONEDNN = 'G2dMaxPoolOneDnn';
const ONEDNN = '_MklNativeMaxPool';

interface PoolAttributes {
  readonly size: readonly [number, number];
  readonly strides: readonly [number, number];
}

const attributes = ({ size, strides }: PoolAttributes): Attribute[] => [
  attribute.float32Type(),
  attribute.integers('ksize', [1, ...size, 1]),
  attribute.integers('strides', [1, ...strides, 1]),
  attribute.string('padding', 'VALID'),
  attribute.string('data_format', 'NHWC'),
];

// oneDNN's operation remembers the winners; TensorFlow's own gradient looks for them again, six times slower.
const oneDnnAttributes = (options: PoolAttributes): Attribute[] => [
  ...attributes(options),
  attribute.boolean('workspace_enabled', true),
  oneDnnLabel(),
];

/** Registers the kernels and their gradients for the `tensorflow` backend. */
export function registerMaxPool(): void {
  defineKernel<PoolAttributes>({
    name: KERNEL,
    inputsToSave: ['x'],
    outputsToSave: [true],
    forward: ({ x }, options) => execute('MaxPool', attributes(options), [x as tf.Tensor]),
    gradient: ([dy], [x, y], options) => ({
      x: () => execute('MaxPoolGrad', attributes(options), [x, y, dy] as tf.Tensor[]),
    }),
  });
  defineKernel<PoolAttributes>({
    name: KERNEL_ONEDNN,
    inputsToSave: ['x'],
    outputsToSave: [true, true],
    forward: ({ x }, options) => oneDnnPool(x as tf.Tensor, options),
    gradient: ([dy], [x, y, workspace], options) => ({
      x: () =>
        execute('_MklNativeMaxPoolGrad', oneDnnAttributes(options), [x, y, dy, workspace] as tf.Tensor[]),
    }),
  });
}

const oneDnnPool = (x: tf.Tensor, options: PoolAttributes): tf.Tensor[] =>
  tensorflow().executeMultipleOutputs(ONEDNN, oneDnnAttributes(options), [x], 2);

/** Maximum over windows of `[B, H, W, C]`, no padding; of equal values the first in a window gets the gradient. */
export function maxPool(x: tf.Tensor, options: PoolAttributes): tf.Tensor {
  const attempt = () => oneDnnPool(tf.ones([1, 2, 2, 1]), { size: [2, 2], strides: [2, 2] });
  if (!hasOperation(ONEDNN, attempt)) return runKernel(KERNEL, { x }, options);
  const [y, workspace] = runKernel<tf.Tensor[]>(KERNEL_ONEDNN, { x }, options) as [tf.Tensor, tf.Tensor];
  workspace.dispose();
  return y;
}

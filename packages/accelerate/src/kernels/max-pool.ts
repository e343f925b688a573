import * as tf from '@tensorflow/tfjs-core';
import {
  attribute,
  defineKernel,
  disposeSaved,
  execute,
  hasOperation,
  oneDnnLabel,
  runKernel,
  tensorflow,
  type Attribute,
} from '@g2d/tensor-ops/tensorflow';

// TensorFlow's own maximum pooling passes over what is not a number: of a window of nothing else it makes −3.4e38, which the ReLU
// after it makes 0. So `@g2d/native` adds one; without it a second pooling finds the windows that hold such a value.
const NATIVE = 'G2dV1MaxPool';
const ONEDNN = '_MklNativeMaxPool';

const KERNEL = 'G2dMaxPool';
const KERNEL_NATIVE = 'G2dMaxPoolNative';

/** A pooling window with nothing around the image but places that never win; each vertical and horizontal. */
export interface PaddedWindow {
  readonly size: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly padding: readonly [number, number];
}

type PoolAttributes = Pick<PaddedWindow, 'size' | 'strides'>;

/** As the operations of `@g2d/native` take it. */
export const windowAttribute = ({ size, strides, padding }: PaddedWindow): Attribute =>
  attribute.integers('window', [...size, ...strides, ...padding]);

/** Whether every window has a value of the image, and its places fit into a byte. */
export const fitsWindow = (x: tf.Tensor, { size, padding }: PaddedWindow): boolean =>
  x.size > 0 &&
  size[0] * size[1] < 256 &&
  size.every((length, i) => {
    const zeros = padding[i] as number;
    return zeros < length && (x.shape[i + 1] as number) + 2 * zeros >= length;
  });

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

const hasOneDnn = (): boolean =>
  hasOperation(ONEDNN, () => oneDnnPool(tf.ones([1, 2, 2, 1]), { size: [2, 2], strides: [2, 2] }));

const hasNative = (): boolean =>
  hasOperation(NATIVE, () =>
    nativePool(tf.ones([1, 2, 2, 1]), { size: [2, 2], strides: [2, 2], padding: [0, 0] }),
  );

const oneDnnPool = (x: tf.Tensor, options: PoolAttributes): tf.Tensor[] =>
  tensorflow().executeMultipleOutputs(ONEDNN, oneDnnAttributes(options), [x], 2);

const nativePool = (x: tf.Tensor, window: PaddedWindow): tf.Tensor[] =>
  tensorflow().executeMultipleOutputs(NATIVE, [windowAttribute(window)], [x], 2);

const pool = (x: tf.Tensor, options: PoolAttributes): tf.Tensor =>
  execute('MaxPool', attributes(options), [x]);

/** The smallest float32, TensorFlow's maximum of a window of −∞. */
const LOWEST = -3.4028234663852886e38;

/**
 * What TensorFlow's maximum pooling gave, with NaN and −∞ where they belong.
 *
 * @param run The same pooling.
 */
export function withNonFinite(
  x: tf.Tensor,
  pooled: tf.Tensor,
  run: (marks: tf.Tensor) => tf.Tensor,
): tf.Tensor {
  return tf.tidy(() => {
    const hasNaN = tf.greater(run(tf.cast(tf.isNaN(x), 'float32')), 0);
    const finite = tf.where(tf.greater(pooled, LOWEST), pooled, -Infinity);
    return tf.where(hasNaN, NaN, finite);
  });
}

/** Registers the kernels and their gradients for the `tensorflow` backend. */
export function registerMaxPool(): void {
  defineKernel<PaddedWindow & { readonly image: readonly [number, number] }>({
    name: KERNEL_NATIVE,
    // Of each window the winner's place.
    outputsToSave: [false, true],
    forward: ({ x }, window) => nativePool(x as tf.Tensor, window),
    gradient: ([dy], [place], { image, ...window }) => ({
      x: () =>
        execute(`${NATIVE}Grad`, [windowAttribute(window), attribute.integers('size', image)], [
          dy,
          place,
        ] as tf.Tensor[]),
    }),
  });
  // The maximum as TensorFlow computes it is what its gradient takes.
  defineKernel<PoolAttributes>({
    name: KERNEL,
    inputsToSave: ['x'],
    outputsToSave: [false, true, true],
    forward: ({ x }, options) => {
      const image = x as tf.Tensor;
      const [pooled, workspace] = hasOneDnn()
        ? (oneDnnPool(image, options) as [tf.Tensor, tf.Tensor])
        : ([pool(image, options), tf.zeros([0])] as const);
      return [withNonFinite(image, pooled, (marks) => pool(marks, options)), pooled, workspace];
    },
    gradient: ([dy], [x, y, workspace], options) => ({
      x: () =>
        hasOneDnn()
          ? execute('_MklNativeMaxPoolGrad', oneDnnAttributes(options), [x, y, dy, workspace] as tf.Tensor[])
          : execute('MaxPoolGrad', attributes(options), [x, y, dy] as tf.Tensor[]),
    }),
  });
}

/**
 * Maximum over windows of `[B, H, W, C]`, no padding: NaN where a window holds one, as PyTorch's. Of equal values the first in a window
 * gets the gradient.
 */
export function maxPool(x: tf.Tensor, options: PoolAttributes): tf.Tensor {
  const window: PaddedWindow = { ...options, padding: [0, 0] };
  const [, height, width] = x.shape as [number, number, number];
  const [y, ...kept] = (
    fitsWindow(x, window) && hasNative()
      ? runKernel<tf.Tensor[]>(KERNEL_NATIVE, { x }, { ...window, image: [height, width] })
      : runKernel<tf.Tensor[]>(KERNEL, { x }, options)
  ) as [tf.Tensor, ...tf.Tensor[]];
  disposeSaved(kept);
  return y;
}

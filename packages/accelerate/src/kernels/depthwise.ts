import * as tf from '@tensorflow/tfjs-core';
import {
  attribute,
  defineKernel,
  execute,
  hasOperation,
  runKernel,
  type Attribute,
} from '@g2d/tensor-ops/tensorflow';
import { activated, activationAttributes, isLinear, LINEAR, type Activation } from './activation.js';

// Convolution of each channel by itself, `[B, H, W, C]` * `[k, k, C, 1]`, as `@g2d/native` adds it to TensorFlow.
const NATIVE = 'G2dV1Depthwise';
const KERNEL = 'G2dDepthwise';

/** Above, below, left and right of the image. */
export type Sides = readonly [top: number, bottom: number, left: number, right: number];

/** How the window slides: `same` as TensorFlow pads, which is not symmetric where a stride leaves an odd number of zeros. */
export interface DepthwiseWindow {
  readonly strides: readonly [number, number];
  readonly padding: Sides | 'same';
}

type Attributes = { readonly strides: readonly [number, number]; readonly sides: Sides };

/** Zeros that `same` puts around an image, one axis. */
function sameZeros(size: number, window: number, stride: number): [number, number] {
  const zeros = Math.max(0, (Math.ceil(size / stride) - 1) * stride + window - size);
  return [Math.floor(zeros / 2), zeros - Math.floor(zeros / 2)];
}

function sidesOf(x: tf.Tensor, filter: tf.Tensor, { strides, padding }: DepthwiseWindow): Sides {
  if (padding !== 'same') return padding;
  const [vertical, horizontal] = [0, 1].map((axis) =>
    sameZeros(x.shape[axis + 1] as number, filter.shape[axis] as number, strides[axis] as number),
  ) as [[number, number], [number, number]];
  return [...vertical, ...horizontal];
}

const geometry = (
  image: readonly number[],
  filter: readonly number[],
  { strides, sides }: Attributes,
): Attribute =>
  attribute.integers('geometry', [
    ...strides,
    ...sides,
    image[1] as number,
    image[2] as number,
    filter[0] as number,
  ]);

function attempt(): void {
  const options: Attributes = { strides: [1, 1], sides: [1, 1, 1, 1] };
  nativeForward(tf.zeros([1, 2, 2, 1]), tf.zeros([3, 3, 1, 1]), tf.zeros([1]), options, LINEAR);
}

const nativeForward = (
  x: tf.Tensor,
  filter: tf.Tensor,
  bias: tf.Tensor,
  options: Attributes,
  activation: Activation,
): tf.Tensor =>
  execute(
    NATIVE,
    [geometry(x.shape, filter.shape, options), ...activationAttributes(activation)],
    [x, filter, bias],
  );

/** Whether ours computes this one: a square window of 3, 5 or 7, and a window in the image at least. */
function isNative(x: tf.Tensor, filter: tf.Tensor, { sides }: Attributes): boolean {
  const [height, width, , multiplier] = filter.shape as [number, number, number, number];
  const [rows, columns] = [x.shape[1] as number, x.shape[2] as number];
  const fits =
    height === width &&
    [3, 5, 7].includes(height) &&
    multiplier === 1 &&
    x.size > 0 &&
    sides.every((zeros) => zeros < height) &&
    rows + sides[0] + sides[1] >= height &&
    columns + sides[2] + sides[3] >= width;
  return fits && hasOperation(NATIVE, attempt);
}

/** The same by TensorFlow, which wants one stride for both directions. */
const plainAttributes = ({ strides, sides }: Attributes): Attribute[] => [
  attribute.float32Type(),
  attribute.integers('strides', [1, ...strides, 1]),
  attribute.integers('dilations', [1, 1, 1, 1]),
  attribute.string('padding', 'EXPLICIT'),
  attribute.integers('explicit_paddings', [0, 0, ...sides, 0, 0]),
  attribute.string('data_format', 'NHWC'),
];

function forward(
  x: tf.Tensor,
  filter: tf.Tensor,
  bias: tf.Tensor | null,
  options: Attributes,
  activation: Activation,
): tf.Tensor {
  if (isNative(x, filter, options)) {
    const start = bias ?? tf.zeros([filter.shape[2] as number]);
    const y = nativeForward(x, filter, start, options, activation);
    if (!bias) start.dispose();
    return y;
  }
  const convolved = execute('DepthwiseConv2dNative', plainAttributes(options), [x, filter]);
  if (!bias) return convolved;
  const format = [attribute.float32Type(), attribute.string('data_format', 'NHWC')];
  const biased = execute('BiasAdd', format, [convolved, bias]);
  convolved.dispose();
  if (isLinear(activation)) return biased;
  const y = activated(biased, activation);
  biased.dispose();
  return y;
}

/** Registers the kernel and its gradient for the `tensorflow` backend. */
export function registerDepthwise(): void {
  defineKernel<Attributes>({
    name: KERNEL,
    inputsToSave: ['x', 'filter'],
    forward: ({ x, filter }, options) => forward(x as tf.Tensor, filter as tf.Tensor, null, options, LINEAR),
    gradient: ([dy], [x, filter], options) => {
      const [image, weights, gradient] = [x, filter, dy] as [tf.Tensor, tf.Tensor, tf.Tensor];
      const native = isNative(image, weights, options);
      const shape = geometry(image.shape, weights.shape, options);
      return {
        x: () =>
          native
            ? execute(`${NATIVE}BackpropInput`, [shape], [weights, gradient])
            : execute('DepthwiseConv2dNativeBackpropInput', plainAttributes(options), [
                tf.tensor1d(image.shape, 'int32'),
                weights,
                gradient,
              ]),
        filter: () =>
          native
            ? execute(`${NATIVE}BackpropFilter`, [shape], [image, gradient])
            : execute('DepthwiseConv2dNativeBackpropFilter', plainAttributes(options), [
                image,
                tf.tensor1d(weights.shape, 'int32'),
                gradient,
              ]),
      };
    },
  });
}

/** `[B, H, W, C]` * `[h, w, C, M]` → `[B, H', W', C·M]`, each channel by itself. The strides are equal. */
export const depthwise = (x: tf.Tensor, filter: tf.Tensor, window: DepthwiseWindow): tf.Tensor =>
  runKernel(KERNEL, { x, filter }, { strides: window.strides, sides: sidesOf(x, filter, window) });

/** The same plus a bias, and its activation. For inference: not on the tape. */
export const depthwiseWithBias = (
  x: tf.Tensor,
  filter: tf.Tensor,
  bias: tf.Tensor,
  window: DepthwiseWindow,
  activation: Activation,
): tf.Tensor =>
  forward(x, filter, bias, { strides: window.strides, sides: sidesOf(x, filter, window) }, activation);

import * as tf from '@tensorflow/tfjs-core';
import {
  attribute,
  defineKernel,
  execute,
  hasOperation,
  oneDnnLabel,
  runKernel,
  type Attribute,
} from '@g2d/tensor-ops/tensorflow';
import { inPrecision, type Precision } from './bfloat16.js';
import { pad, unpad } from './pad.js';
import { hasOwnBfloat16, isWorthRounding } from './product.js';
import { byTaps, byTapsGradientFilter, byTapsGradientInput, isByTaps, isByWindows } from './taps.js';
import type { WindowAttributes } from './window-attributes.js';
import {
  isWinograd,
  winograd,
  winogradGradientFilter,
  winogradGradientInput,
  winogradWithBias,
} from './winograd.js';

const KERNEL = 'G2dConv2D';
const WITH_BIAS = '_MklNativeConv2DWithBias';

interface ConvolutionAttributes extends WindowAttributes {
  readonly precision: Precision;
}

const isUnpadded = ({ padding: [vertical, horizontal] }: WindowAttributes): boolean =>
  vertical === 0 && horizontal === 0;

/** True where TensorFlow's `SAME` adds just this padding: stride 1 and an odd window. */
const isSame = (filter: tf.Tensor, { strides, padding }: WindowAttributes): boolean =>
  strides.every((stride) => stride === 1) && padding.every((zeros, i) => filter.shape[i] === 2 * zeros + 1);

function attributes(
  [vertical, horizontal]: WindowAttributes['strides'],
  padding: 'SAME' | 'VALID' | 'EXPLICIT',
  type: number,
  zeros: WindowAttributes['padding'] = [0, 0],
): Attribute[] {
  const explicit = [0, 0, zeros[0], zeros[0], zeros[1], zeros[1], 0, 0];
  return [
    attribute.type('T', type),
    attribute.integers('strides', [1, vertical, horizontal, 1]),
    attribute.integers('dilations', [1, 1, 1, 1]),
    attribute.string('padding', padding),
    attribute.string('data_format', 'NHWC'),
    attribute.boolean('use_cudnn_on_gpu', true),
    ...(padding === 'EXPLICIT' ? [attribute.integers('explicit_paddings', explicit)] : []),
  ];
}

function forwardAttributes(filter: tf.Tensor, window: WindowAttributes, type: number): Attribute[] {
  if (isSame(filter, window)) return attributes(window.strides, 'SAME', type);
  return isUnpadded(window)
    ? attributes(window.strides, 'VALID', type)
    : attributes(window.strides, 'EXPLICIT', type, window.padding);
}

/** How a convolution is computed: by our operations, or by TensorFlow's. */
interface Way {
  readonly by: 'transforms' | 'taps' | 'windows' | 'tensorflow';
  readonly precision: Precision;
}

/** Where products of bfloat16 are ours, convolutions by their taps are in it, and all others float32: faster, and exact. */
function wayOf(
  image: readonly number[],
  filter: readonly number[],
  { precision, ...window }: ConvolutionAttributes,
): Way {
  const isOurs = precision === 'bfloat16' && hasOwnBfloat16();
  const others = isOurs ? 'float32' : precision;
  const shapes = [image, filter, window, others] as const;
  const byTaps = isByTaps(...shapes);
  const isRounded = byTaps && isOurs && isWorthRounding(multiplications(image, filter, window));
  if (isWinograd(...shapes, isRounded)) return { by: 'transforms', precision: others };
  if (byTaps) return { by: 'taps', precision: isRounded ? 'bfloat16' : others };
  return { by: isByWindows(...shapes) ? 'windows' : 'tensorflow', precision: others };
}

/** Of a convolution tap by tap. */
function multiplications(
  [batch, ...image]: readonly number[],
  filter: readonly number[],
  { strides, padding }: WindowAttributes,
): number {
  const places = strides.map(
    (stride, axis) => Math.floor((image[axis]! + 2 * padding[axis]! - filter[axis]!) / stride) + 1,
  );
  return [batch as number, ...places, ...filter].reduce((product, factor) => product * factor, 1);
}

/** The convolution itself; not on the tape. */
export function convolve(x: tf.Tensor, filter: tf.Tensor, options: ConvolutionAttributes): tf.Tensor {
  const { by, precision } = wayOf(x.shape, filter.shape, options);
  if (by === 'transforms') return winograd(x, filter, options);
  if (by !== 'tensorflow') return byTaps(x, filter, options, precision);
  return inPrecision(precision, [x, filter], (operands, type) =>
    execute('Conv2D', forwardAttributes(filter, options, type), operands),
  );
}

/** Gradients, each computed when it is asked for; temporaries are left to the `tf.tidy` around. */
export function convolutionGradients(
  dy: tf.Tensor,
  x: tf.Tensor,
  filter: tf.Tensor,
  window: ConvolutionAttributes,
): { x: () => tf.Tensor; filter: () => tf.Tensor } {
  const { by, precision } = wayOf(x.shape, filter.shape, window);
  if (by === 'transforms') {
    return {
      x: () => winogradGradientInput(filter, dy, window),
      filter: () => winogradGradientFilter(x, dy, window),
    };
  }
  if (by === 'taps') {
    return {
      x: () => byTapsGradientInput(filter, dy, x.shape, window, precision),
      filter: () => byTapsGradientFilter(x, dy, filter.shape, window, precision),
    };
  }
  const same = isSame(filter, window);
  // EXPLICIT gradients take a slow path in TensorFlow; VALID on a padded input does not.
  const padding = same ? ([0, 0] as const) : window.padding;
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const padded = [batch, height + 2 * padding[0], width + 2 * padding[1], channels];
  const options = (type: number) => attributes(window.strides, same ? 'SAME' : 'VALID', type);
  return {
    x: () => {
      const sizes = tf.tensor1d(padded, 'int32');
      const gradient = inPrecision(precision, [filter, dy], ([w, d], type) =>
        execute('Conv2DBackpropInput', options(type), [sizes, w as tf.Tensor, d as tf.Tensor]),
      );
      return unpad(gradient, padding);
    },
    filter: () => {
      if (by === 'windows') {
        return byTapsGradientFilter(x, dy, filter.shape, window, precision);
      }
      const sizes = tf.tensor1d(filter.shape, 'int32');
      return inPrecision(precision, [pad(x, padding, 0), dy], ([a, d], type) =>
        execute('Conv2DBackpropFilter', options(type), [a as tf.Tensor, sizes, d as tf.Tensor]),
      );
    },
  };
}

/** Registers the kernel and its gradient for the `tensorflow` backend. */
export function registerConv2D(): void {
  defineKernel<ConvolutionAttributes>({
    name: KERNEL,
    inputsToSave: ['x', 'filter'],
    forward: ({ x, filter }, options) => convolve(x as tf.Tensor, filter as tf.Tensor, options),
    gradient: ([dy], [x, filter], options) =>
      convolutionGradients(dy as tf.Tensor, x as tf.Tensor, filter as tf.Tensor, options),
  });
}

/**
 * Convolution `[B, H, W, C]` * `[h, w, C, K]` → `[B, H', W', K]` with PyTorch's symmetric zero padding, without bias
 * and dilation; H' = ⌊(H + 2·padding − h) / stride⌋ + 1.
 */
export const conv2d = (
  x: tf.Tensor,
  filter: tf.Tensor,
  window: WindowAttributes,
  precision: Precision = 'float32',
): tf.Tensor => runKernel(KERNEL, { x, filter }, { ...window, precision });

const withBias = (options: readonly Attribute[], operands: readonly tf.Tensor[]): tf.Tensor =>
  execute(WITH_BIAS, [...options, oneDnnLabel()], operands);

function tryWithBias(): void {
  const filter = tf.ones([1, 1, 1, 1]);
  const type = attribute.float32Type().value as number;
  withBias(attributes([1, 1], 'VALID', type), [tf.ones([1, 1, 1, 1]), filter, tf.ones([1])]);
}

/** Disposes what the bias was added to. */
function plusBias(convolved: tf.Tensor, bias: tf.Tensor, type: Attribute): tf.Tensor {
  const y = execute('BiasAdd', [type, attribute.string('data_format', 'NHWC')], [convolved, bias]);
  convolved.dispose();
  return y;
}

/** The same with a bias `[K]`, in one operation where there is one. For inference: not on the tape. */
export const conv2dWithBias = (
  x: tf.Tensor,
  filter: tf.Tensor,
  bias: tf.Tensor,
  window: WindowAttributes,
  precision: Precision,
): tf.Tensor => {
  const way = wayOf(x.shape, filter.shape, { ...window, precision });
  if (way.by === 'transforms') return winogradWithBias(x, filter, bias, window);
  if (way.by === 'taps') {
    return plusBias(byTaps(x, filter, window, way.precision), bias, attribute.float32Type());
  }
  return inPrecision(way.precision, [x, filter, bias], ([image, kernel, offset], type) => {
    const options = forwardAttributes(filter, window, type);
    const operands = [image, kernel] as tf.Tensor[];
    if (hasOperation(WITH_BIAS, tryWithBias)) return withBias(options, [...operands, offset as tf.Tensor]);
    return plusBias(execute('Conv2D', options, operands), offset as tf.Tensor, attribute.type('T', type));
  });
};

import * as tf from '@tensorflow/tfjs-core';
import type { Precision } from './bfloat16.js';
import type { WindowAttributes } from './window-attributes.js';
import { attribute, execute, hasOperation, type Attribute } from '@g2d/tensor-ops/tensorflow';

// Convolution as one matrix product for each tap, as `@g2d/native` adds it to TensorFlow, but where it transforms 3 × 3 of them with
// stride 2. oneDNN rearranges all weights in every call, which costs more than the convolution itself where few outputs or one tap use them.
const CONV_2D = 'G2dV2Conv2D';

/** Measured to be at least level with oneDNN from so many channels on, in and out: of a window of one, and of larger ones. */
const CHANNELS = 16;
const CHANNELS_OF_WINDOW = 64;
/** Each tap adds to all of the result once. */
const MAX_TAPS = 9;

/** Of an image of few channels; see `window-convolution.h` of `@g2d/native`. */
const FEW_CHANNELS = 16;
const FILTERS_STEP = 32;
const MAX_FILTERS = 1024;
const MAX_HEIGHT = 16;
/** So many values side by side are worth a product. */
const ROW_OF_WINDOW = 7;

function attributesOf(
  [height, width]: readonly number[],
  { strides, padding }: WindowAttributes,
  precision: Precision,
): Attribute[] {
  return [
    attribute.integers('window', [height as number, width as number, ...strides, ...padding]),
    attribute.boolean('round_to_bfloat16', precision === 'bfloat16'),
  ];
}

function attempt(): void {
  const one = tf.ones([1, 1, 1, 1]);
  execute(CONV_2D, attributesOf([1, 1], { strides: [1, 1], padding: [0, 0] }, 'float32'), [one, one]);
}

/** Whether this convolution can be had, and faster than from oneDNN. Where Winograd's algorithm is worth it, that is faster yet. */
export function isByTaps(
  image: readonly number[],
  [height, width, ...channels]: readonly number[],
  window: WindowAttributes,
  precision: Precision,
): boolean {
  const [h, w] = [height as number, width as number];
  const enough = channels.every((count) => count >= (h * w === 1 ? CHANNELS : CHANNELS_OF_WINDOW));
  if (precision !== 'float32' || !fits(image, [h, w], window) || !enough || h * w > MAX_TAPS) return false;
  return hasOperation(CONV_2D, attempt);
}

/**
 * Whether the convolution of an image of few channels, as a network's first, and its filter's gradient can be had faster than from oneDNN: each
 * row of a window is read where it lies. The image's gradient is oneDNN's.
 */
export function isByWindows(
  image: readonly number[],
  [height, width, channels, filters]: readonly number[],
  window: WindowAttributes,
  precision: Precision,
): boolean {
  const [h, w, few, many] = [height as number, width as number, channels as number, filters as number];
  const worth = few > 0 && few < FEW_CHANNELS && h * w > 1 && w * few >= ROW_OF_WINDOW && h <= MAX_HEIGHT;
  const whole = many > 0 && many % FILTERS_STEP === 0 && many <= MAX_FILTERS;
  if (precision !== 'float32' || !fits(image, [h, w], window) || !worth || !whole) return false;
  return hasOperation(CONV_2D, attempt);
}

/** Whether there is a place for the window. */
const fits = (image: readonly number[], size: readonly number[], { padding }: WindowAttributes): boolean =>
  image[0] !== 0 && size.every((count, axis) => image[axis + 1]! + 2 * padding[axis]! >= count);

/** `[B, H, W, C]` * `[h, w, C, K]` → `[B, H', W', K]`. */
export const byTaps = (
  x: tf.Tensor,
  filter: tf.Tensor,
  window: WindowAttributes,
  precision: Precision,
): tf.Tensor => execute(CONV_2D, attributesOf(filter.shape, window, precision), [x, filter]);

/** Gradient with respect to an image of this shape, `[B, H, W, C]`. */
export const byTapsGradientInput = (
  filter: tf.Tensor,
  dy: tf.Tensor,
  image: readonly number[],
  window: WindowAttributes,
  precision: Precision,
): tf.Tensor =>
  execute(
    `${CONV_2D}BackpropInput`,
    [...attributesOf(filter.shape, window, precision), attribute.integers('size', [image[1]!, image[2]!])],
    [filter, dy],
  );

/** Gradient with respect to a filter of this shape, `[h, w, C, K]`. */
export const byTapsGradientFilter = (
  x: tf.Tensor,
  dy: tf.Tensor,
  filter: readonly number[],
  window: WindowAttributes,
  precision: Precision,
): tf.Tensor => execute(`${CONV_2D}BackpropFilter`, attributesOf(filter, window, precision), [x, dy]);

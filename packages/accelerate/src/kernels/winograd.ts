import * as tf from '@tensorflow/tfjs-core';
import type { Precision } from './bfloat16.js';
import type { WindowAttributes } from './window-attributes.js';
import { attribute, execute, hasOperation, type Attribute } from '@g2d/tensor-ops/tensorflow';

// Convolution of 3 × 3 taps and stride 1 by Winograd's algorithm, as `@g2d/native` adds it to TensorFlow: on small maps 16
// multiplications for each 2 × 2 outputs in place of 36, on large ones, which it tells by itself, 36 for 4 × 4 in place of 144.
const CONV_3X3 = 'G2dV1Conv3x3';

/** What the operation takes; see `winograd.h` of `@g2d/native`. */
const CHANNELS_STEP = 32;
const MAX_CHANNELS = 1024;
const MAX_PADDING = 2;
/** Transforming the taps costs about as much as so many tiles of 2 × 2 outputs. */
const TILES_FOR_TAPS = 80;

const padding = (window: WindowAttributes): Attribute[] => [attribute.integers('padding', window.padding)];

function attempt(): void {
  const [x, filter] = [tf.zeros([1, 2, 2, CHANNELS_STEP]), tf.zeros([3, 3, CHANNELS_STEP, CHANNELS_STEP])];
  execute(CONV_3X3, padding({ strides: [1, 1], padding: [1, 1] }), [x, filter]);
}

/** What a multiplication in bfloat16 costs, beside one in float32. */
const ROUNDED = 5 / 9;

/**
 * Whether this convolution can be had, and with fewer operations than directly.
 *
 * @param isRounded Whether it would be in bfloat16 directly. Default false.
 */
export function isWinograd(
  [batch, height, width]: readonly number[],
  [filterHeight, filterWidth, ...channels]: readonly number[],
  window: WindowAttributes,
  precision: Precision,
  isRounded = false,
): boolean {
  const fits =
    precision === 'float32' &&
    filterHeight === 3 &&
    filterWidth === 3 &&
    window.strides.every((step) => step === 1) &&
    window.padding.every((zeros) => zeros <= MAX_PADDING) &&
    channels.every((count) => count > 0 && count % CHANNELS_STEP === 0 && count <= MAX_CHANNELS);
  if (!fits) return false;
  const rows = Math.max(0, (height as number) + 2 * window.padding[0] - 2);
  const columns = Math.max(0, (width as number) + 2 * window.padding[1] - 2);
  const tiles = (batch as number) * Math.ceil(rows / 2) * Math.ceil(columns / 2);
  const direct = 9 * (isRounded ? ROUNDED : 1);
  const worth = 16 * (tiles + TILES_FOR_TAPS) < direct * (batch as number) * rows * columns;
  return worth && hasOperation(CONV_3X3, attempt);
}

/** `[B, H, W, C]` * `[3, 3, C, K]` → `[B, H', W', K]`. */
export const winograd = (x: tf.Tensor, filter: tf.Tensor, window: WindowAttributes): tf.Tensor =>
  execute(CONV_3X3, padding(window), [x, filter]);

/** The same plus a bias `[K]`. */
export const winogradWithBias = (
  x: tf.Tensor,
  filter: tf.Tensor,
  bias: tf.Tensor,
  window: WindowAttributes,
): tf.Tensor => execute(`${CONV_3X3}WithBias`, padding(window), [x, filter, bias]);

/** Gradient with respect to the image, `[B, H, W, C]`. */
export const winogradGradientInput = (
  filter: tf.Tensor,
  dy: tf.Tensor,
  window: WindowAttributes,
): tf.Tensor => execute(`${CONV_3X3}BackpropInput`, padding(window), [filter, dy]);

/** Gradient with respect to the filter, `[3, 3, C, K]`. */
export const winogradGradientFilter = (x: tf.Tensor, dy: tf.Tensor, window: WindowAttributes): tf.Tensor =>
  execute(`${CONV_3X3}BackpropFilter`, padding(window), [x, dy]);

import * as tf from '@tensorflow/tfjs-core';
import { attribute, defineKernel, execute, runKernel } from '@g2d/tensor-ops/tensorflow';

const KERNEL = 'G2dPad';

/** Pixels added above and below, left and right of an image. */
export type Padding = readonly [vertical: number, horizontal: number];

interface PadAttributes {
  readonly padding: Padding;
  readonly value: number;
}

/** `[B, H, W, C]` with `value` around; the tensor itself where nothing is added. Not on the tape. */
export function pad(x: tf.Tensor, [vertical, horizontal]: Padding, value: number): tf.Tensor {
  if (vertical === 0 && horizontal === 0) return x;
  const sizes = tf.tensor2d([0, 0, vertical, vertical, horizontal, horizontal, 0, 0], [4, 2], 'int32');
  const fill = tf.scalar(value);
  const padded = execute(
    'PadV2',
    [attribute.float32Type(), attribute.int32Type('Tpaddings')],
    [x, sizes, fill],
  );
  tf.dispose([sizes, fill]);
  return padded;
}

/** `[B, H, W, C]` without its border; the tensor itself where there is none. Not on the tape. */
export function unpad(x: tf.Tensor, [vertical, horizontal]: Padding): tf.Tensor {
  if (vertical === 0 && horizontal === 0) return x;
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const begin = tf.tensor1d([0, vertical, horizontal, 0], 'int32');
  const size = tf.tensor1d([batch, height - 2 * vertical, width - 2 * horizontal, channels], 'int32');
  const inner = execute('Slice', [attribute.float32Type(), attribute.int32Type('Index')], [x, begin, size]);
  tf.dispose([begin, size]);
  return inner;
}

/** Registers the kernel and its gradient for the `tensorflow` backend. */
export function registerPad(): void {
  defineKernel<PadAttributes>({
    name: KERNEL,
    forward: ({ x }, { padding, value }) => pad(x as tf.Tensor, padding, value),
    gradient: ([dy], _, { padding }) => ({ x: () => unpad(dy as tf.Tensor, padding) }),
  });
}

/** Padding on the tape; saves nothing. At least one size must be positive. */
export const padKernel = (x: tf.Tensor, padding: Padding, value: number): tf.Tensor =>
  runKernel(KERNEL, { x }, { padding, value });

import * as tf from '@tensorflow/tfjs-core';
import {
  convInfo,
  dilatedAndPadded,
  padOrCut,
  type ConvAttributes,
  type ConvInfo,
} from './wasm-conv-gradients.js';

// tfjs-backend-wasm has the forward depthwise convolution only. With input channel c and multiplier m, output channel
// c·M + m:
//   d filter[i, j, c, m] = Σ_{n, y, x} input[n, y·s + i, x·s + j, c] · dy[n, y, x, c·M + m]   → one product per window position;
//   d input = dy, dilated by the stride and padded, depthwise with the kernel rotated by 180°, summed over m.

/** Gradient of a depthwise kernel, `[h, w, C, M]`. */
function filterGradient(x: tf.Tensor4D, dy: tf.Tensor4D, info: ConvInfo): tf.Tensor4D {
  const { padInfo, strideHeight, strideWidth, filterHeight, filterWidth, outHeight, outWidth } = info;
  const [batch, , , channels] = x.shape;
  const multiplier = dy.shape[3] / channels;
  const height = (outHeight - 1) * strideHeight + filterHeight;
  const width = (outWidth - 1) * strideWidth + filterWidth;
  const padded = padOrCut(
    x,
    padInfo.top,
    height - x.shape[1] - padInfo.top,
    padInfo.left,
    width - x.shape[2] - padInfo.left,
  );
  const outputs = tf.reshape(dy, [batch, outHeight, outWidth, channels, multiplier]);
  const at = (row: number, column: number): tf.Tensor => {
    const seen = tf.stridedSlice(
      padded,
      [0, row, column, 0],
      [batch, row + (outHeight - 1) * strideHeight + 1, column + (outWidth - 1) * strideWidth + 1, channels],
      [1, strideHeight, strideWidth, 1],
    );
    return tf.sum(tf.mul(tf.expandDims(seen, 4), outputs), [0, 1, 2]);
  };
  const positions = Array.from({ length: filterHeight * filterWidth }, (_, i) =>
    tf.tidy(() => at(Math.floor(i / filterWidth), i % filterWidth)),
  );
  return tf.reshape(tf.stack(positions), [filterHeight, filterWidth, channels, multiplier]);
}

/** Gradient of a depthwise convolution's input, `[B, H, W, C]`. */
function inputGradient(dy: tf.Tensor4D, filter: tf.Tensor4D, info: ConvInfo): tf.Tensor4D {
  const [, , channels, multiplier] = filter.shape;
  const images = dilatedAndPadded(dy, info);
  const [batch, height, width] = images.shape;
  const byMultiplier = tf.reshape(images, [batch, height, width, channels, multiplier]);
  const rotated = tf.reverse(filter, [0, 1]);
  const parts = Array.from({ length: multiplier }, (_, m) =>
    tf.depthwiseConv2d(
      tf.squeeze(tf.slice(byMultiplier, [0, 0, 0, 0, m], [-1, -1, -1, -1, 1]), [4]) as tf.Tensor4D,
      tf.slice(rotated, [0, 0, 0, m], [-1, -1, -1, 1]),
      1,
      'valid',
    ),
  );
  return tf.addN(parts) as tf.Tensor4D;
}

/** Registers both gradients of depthwise convolution for the `wasm` backend. */
export function registerWasmDepthwiseGradients(): void {
  tf.registerKernel({
    kernelName: 'DepthwiseConv2dNativeBackpropFilter',
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs }) => {
      const { x, dy } = inputs as { x: tf.Tensor4D; dy: tf.Tensor4D };
      const { filterShape, ...options } = attrs as unknown as ConvAttributes & { filterShape: number[] };
      return tf.tidy(() => filterGradient(x, dy, convInfo(x.shape, filterShape, options, true)));
    },
  });
  tf.registerKernel({
    kernelName: 'DepthwiseConv2dNativeBackpropInput',
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs }) => {
      const { dy, filter } = inputs as { dy: tf.Tensor4D; filter: tf.Tensor4D };
      const { inputShape, ...options } = attrs as unknown as ConvAttributes & { inputShape: number[] };
      return tf.tidy(() => inputGradient(dy, filter, convInfo(inputShape, filter.shape, options, true)));
    },
  });
}

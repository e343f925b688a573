import * as tf from '@tensorflow/tfjs-core';

// tfjs-backend-wasm has no gradient for convolution kernels at all, and one for inputs that is seven times slower
// than its forward convolution. Both are forward convolutions of rearranged tensors:
//   d filter[i, j, c, k] = Σ_{n, y, x} input[n, y·s + i, x·s + j, c] · dy[n, y, x, k]
//     → convolve the input, batch and channels swapped, with dy as a kernel dilated by the stride;
//   d input = dy, dilated by the stride and padded, convolved with the kernel rotated by 180°.

type Padding = 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;

interface ConvAttributes {
  readonly strides: [number, number] | number;
  readonly pad: Padding;
  readonly dataFormat: 'NHWC' | 'NCHW';
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

type ConvInfo = ReturnType<typeof tf.backend_util.computeConv2DInfo>;

const convInfo = (
  inputShape: readonly number[],
  filterShape: readonly number[],
  { strides, pad, dataFormat, dimRoundingMode }: ConvAttributes,
): ConvInfo => {
  if (dataFormat !== 'NHWC')
    throw new Error(`Convolution gradients on wasm need data format NHWC, not ${dataFormat}.`);
  return tf.backend_util.computeConv2DInfo(
    inputShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    strides,
    1,
    pad as 'valid',
    dimRoundingMode,
    false,
    'channelsLast',
  );
};

/** Puts `stride − 1` zeros between neighbours of axes 1 and 2. */
function spread(x: tf.Tensor4D, sh: number, sw: number): tf.Tensor4D {
  if (sh === 1 && sw === 1) return x;
  const [b, h, w, c] = x.shape;
  // Each row becomes a group of `sh` rows, the last sh − 1 of them zeros; the zeros after the last row are cut off.
  const padded = tf.pad(tf.reshape(x, [b, h, 1, w, c]), [
    [0, 0],
    [0, 0],
    [0, sh - 1],
    [0, 0],
    [0, 0],
  ]);
  const rows = tf.slice(tf.reshape(padded, [b, h * sh, w, c]), [0, 0, 0, 0], [b, (h - 1) * sh + 1, w, c]);
  const columns = tf.pad(tf.reshape(rows, [b, (h - 1) * sh + 1, w, 1, c]), [
    [0, 0],
    [0, 0],
    [0, 0],
    [0, sw - 1],
    [0, 0],
  ]);
  return tf.slice(
    tf.reshape(columns, [b, (h - 1) * sh + 1, w * sw, c]),
    [0, 0, 0, 0],
    [b, (h - 1) * sh + 1, (w - 1) * sw + 1, c],
  ) as tf.Tensor4D;
}

/** Pads axes 1 and 2, or cuts where a number is negative. */
function padOrCut(x: tf.Tensor4D, top: number, bottom: number, left: number, right: number): tf.Tensor4D {
  const cut = tf.slice(
    x,
    [0, Math.max(0, -top), Math.max(0, -left), 0],
    [
      x.shape[0],
      x.shape[1] - Math.max(0, -top) - Math.max(0, -bottom),
      x.shape[2] - Math.max(0, -left) - Math.max(0, -right),
      x.shape[3],
    ],
  );
  return tf.pad(cut, [
    [0, 0],
    [Math.max(0, top), Math.max(0, bottom)],
    [Math.max(0, left), Math.max(0, right)],
    [0, 0],
  ]) as tf.Tensor4D;
}

/** Gradient of a convolution's kernel, `[h, w, C, K]`. */
function filterGradient(x: tf.Tensor4D, dy: tf.Tensor4D, info: ConvInfo): tf.Tensor4D {
  const { padInfo, strideHeight, strideWidth, filterHeight, filterWidth, outHeight, outWidth } = info;
  // Rows and columns that the window really reads: a remainder below the stride is never touched.
  const readHeight = (outHeight - 1) * strideHeight + filterHeight;
  const readWidth = (outWidth - 1) * strideWidth + filterWidth;
  const input = padOrCut(
    x,
    padInfo.top,
    readHeight - x.shape[1] - padInfo.top,
    padInfo.left,
    readWidth - x.shape[2] - padInfo.left,
  );
  const images = tf.transpose(input, [3, 1, 2, 0]); // [C, H, W, B]
  const kernel = tf.transpose(spread(dy, strideHeight, strideWidth), [1, 2, 0, 3]); // [h, w, B, K]
  return tf.transpose(
    tf.conv2d(images as tf.Tensor4D, kernel as tf.Tensor4D, 1, 'valid'),
    [1, 2, 0, 3],
  ) as tf.Tensor4D;
}

/** Gradient of a convolution's input, `[B, H, W, C]`. */
function inputGradient(dy: tf.Tensor4D, filter: tf.Tensor4D, info: ConvInfo): tf.Tensor4D {
  const { padInfo, strideHeight, strideWidth, filterHeight, filterWidth, inHeight, inWidth } = info;
  const sparse = spread(dy, strideHeight, strideWidth);
  const top = filterHeight - 1 - padInfo.top;
  const left = filterWidth - 1 - padInfo.left;
  const images = padOrCut(
    sparse,
    top,
    inHeight + filterHeight - 1 - sparse.shape[1] - top,
    left,
    inWidth + filterWidth - 1 - sparse.shape[2] - left,
  );
  const rotated = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]);
  return tf.conv2d(images, rotated as tf.Tensor4D, 1, 'valid') as tf.Tensor4D;
}

/** Registers both gradients for the `wasm` backend, in place of what it has. */
export function registerWasmConvGradients(): void {
  const replace = (kernelName: string, kernelFunc: tf.KernelFunc): void => {
    if (tf.getKernel(kernelName, 'wasm')) tf.unregisterKernel(kernelName, 'wasm');
    tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
  };
  replace('Conv2DBackpropFilter', ({ inputs, attrs }) => {
    const { x, dy } = inputs as { x: tf.Tensor4D; dy: tf.Tensor4D };
    const { filterShape, ...options } = attrs as unknown as ConvAttributes & { filterShape: number[] };
    return tf.tidy(() => filterGradient(x, dy, convInfo(x.shape, filterShape, options)));
  });
  replace('Conv2DBackpropInput', ({ inputs, attrs }) => {
    const { dy, filter } = inputs as { dy: tf.Tensor4D; filter: tf.Tensor4D };
    const { inputShape, ...options } = attrs as unknown as ConvAttributes & { inputShape: number[] };
    return tf.tidy(() => inputGradient(dy, filter, convInfo(inputShape, filter.shape, options)));
  });
}

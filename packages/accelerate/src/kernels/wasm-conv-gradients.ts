import * as tf from '@tensorflow/tfjs-core';

// tfjs-backend-wasm has no gradient for convolution kernels at all, and one for inputs that is seven times slower
// than its forward convolution. Both are forward convolutions of rearranged tensors:
//   d filter[i, j, c, k] = Σ_{n, y, x} input[n, y·s + i, x·s + j, c] · dy[n, y, x, k]
//     → convolve the input, batch and channels swapped, with dy as a kernel dilated by the stride;
//   d input = dy, dilated by the stride and padded, convolved with the kernel rotated by 180°.

type Padding = 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;

export interface ConvAttributes {
  readonly strides: [number, number] | number;
  readonly pad: Padding;
  readonly dataFormat?: 'NHWC' | 'NCHW';
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

export type ConvInfo = ReturnType<typeof tf.backend_util.computeConv2DInfo>;

export const convInfo = (
  inputShape: readonly number[],
  filterShape: readonly number[],
  { strides, pad, dataFormat = 'NHWC', dimRoundingMode }: ConvAttributes,
  depthwise = false,
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
    depthwise,
    'channelsLast',
  );
};

/**
 * Puts `stride − 1` zeros after every row and column, the last included: a tail of zeros costs less than the slice that
 * would remove it.
 */
function spread(x: tf.Tensor4D, sh: number, sw: number): tf.Tensor4D {
  if (sh === 1 && sw === 1) return x;
  const [b, h, w, c] = x.shape;
  const none = [0, 0] as [number, number];
  // Each row becomes a group of `sh` rows, each column one of `sw`.
  const rows = tf.pad(tf.reshape(x, [b, h, 1, w, c]), [none, none, [0, sh - 1], none, none]);
  const columns = tf.pad(tf.reshape(rows, [b, h * sh, w, 1, c]), [none, none, none, [0, sw - 1], none]);
  return tf.reshape(columns, [b, h * sh, w * sw, c]);
}

/** Pads axes 1 and 2, or cuts where a number is negative. */
export function padOrCut(
  x: tf.Tensor4D,
  top: number,
  bottom: number,
  left: number,
  right: number,
): tf.Tensor4D {
  const margins = [top, bottom, left, right];
  if (margins.every((margin) => margin === 0)) return x;
  const cut = margins.every((margin) => margin >= 0)
    ? x
    : tf.slice(
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
  const { padInfo, strideHeight, strideWidth, filterHeight, filterWidth } = info;
  const sparse = spread(dy, strideHeight, strideWidth);
  // As many rows and columns as give the kernel's size; a remainder that no window reaches is cut.
  const input = padOrCut(
    x,
    padInfo.top,
    sparse.shape[1] + filterHeight - 1 - x.shape[1] - padInfo.top,
    padInfo.left,
    sparse.shape[2] + filterWidth - 1 - x.shape[2] - padInfo.left,
  );
  const images = tf.transpose(input, [3, 1, 2, 0]) as tf.Tensor4D; // [C, H, W, B]
  const kernel = tf.transpose(sparse, [1, 2, 0, 3]) as tf.Tensor4D; // [h, w, B, K]
  return tf.transpose(tf.conv2d(images, kernel, 1, 'valid'), [1, 2, 0, 3]) as tf.Tensor4D;
}

/** What the rotated kernel slides over to give the gradient of an input: dy, dilated by the stride and padded. */
export function dilatedAndPadded(dy: tf.Tensor4D, info: ConvInfo): tf.Tensor4D {
  const { padInfo, strideHeight, strideWidth, filterHeight, filterWidth, inHeight, inWidth } = info;
  const sparse = spread(dy, strideHeight, strideWidth);
  const top = filterHeight - 1 - padInfo.top;
  const left = filterWidth - 1 - padInfo.left;
  return padOrCut(
    sparse,
    top,
    inHeight + filterHeight - 1 - sparse.shape[1] - top,
    left,
    inWidth + filterWidth - 1 - sparse.shape[2] - left,
  );
}

/** Gradient of a convolution's input, `[B, H, W, C]`. */
function inputGradient(dy: tf.Tensor4D, filter: tf.Tensor4D, info: ConvInfo): tf.Tensor4D {
  const rotated = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]) as tf.Tensor4D;
  return tf.conv2d(dilatedAndPadded(dy, info), rotated, 1, 'valid') as tf.Tensor4D;
}

/**
 * The forward convolution works on inserted zeros too, in·in / (out·out) times the needed work. Above this ratio the
 * backend's own kernel, slower but without them, is the faster one.
 */
const MOST_ZEROS = 7;

/** Registers both gradients for the `wasm` backend, beside and in place of what it has. */
export function registerWasmConvGradients(): void {
  tf.registerKernel({
    kernelName: 'Conv2DBackpropFilter',
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs }) => {
      const { x, dy } = inputs as { x: tf.Tensor4D; dy: tf.Tensor4D };
      const { filterShape, ...options } = attrs as unknown as ConvAttributes & { filterShape: number[] };
      return tf.tidy(() => filterGradient(x, dy, convInfo(x.shape, filterShape, options)));
    },
  });
  const own = tf.getKernel('Conv2DBackpropInput', 'wasm');
  tf.unregisterKernel('Conv2DBackpropInput', 'wasm');
  tf.registerKernel({
    ...own,
    kernelFunc: (call) => {
      const { dy, filter } = call.inputs as { dy: tf.Tensor4D; filter: tf.Tensor4D };
      const { inputShape, ...options } = call.attrs as unknown as ConvAttributes & { inputShape: number[] };
      const info = convInfo(inputShape, filter.shape, options);
      const ratio = (info.inHeight * info.inWidth) / (info.outHeight * info.outWidth);
      // `tf.conv2dTranspose` can ask for an image that no convolution makes this gradient's shape of: the backend knows what it does then.
      const isConvolution = dy.shape[1] === info.outHeight && dy.shape[2] === info.outWidth;
      return ratio > MOST_ZEROS || !isConvolution
        ? own.kernelFunc(call)
        : tf.tidy(() => inputGradient(dy, filter, info));
    },
  });
}

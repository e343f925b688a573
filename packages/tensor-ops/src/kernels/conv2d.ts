import * as tf from '@tensorflow/tfjs-core';
import { attribute, TENSORFLOW, tensorflow, type Attribute } from './tensorflow.js';

/** Convolution with PyTorch's symmetric zero padding, NHWC, no bias, no dilation. */
const KERNEL = 'G2dConv2D';

interface Conv2DAttributes {
  /** Step of the window, [vertical, horizontal]. */
  readonly strides: readonly [number, number];
  /** Zeros added on both sides, [top and bottom, left and right]. */
  readonly padding: readonly [number, number];
}

const convAttributes = (
  [sh, sw]: Conv2DAttributes['strides'],
  padding: 'SAME' | 'VALID' | 'EXPLICIT',
  explicit?: Conv2DAttributes['padding'],
): Attribute[] => [
  attribute.float32Type(),
  attribute.integers('strides', [1, sh, sw, 1]),
  attribute.integers('dilations', [1, 1, 1, 1]),
  attribute.string('padding', padding),
  attribute.string('data_format', 'NHWC'),
  attribute.boolean('use_cudnn_on_gpu', true),
  ...(explicit
    ? [
        attribute.integers('explicit_paddings', [
          0,
          0,
          explicit[0],
          explicit[0],
          explicit[1],
          explicit[1],
          0,
          0,
        ]),
      ]
    : []),
];

/** True where TensorFlow's `SAME` adds just this padding: stride 1 and an odd window. */
const isSame = (filter: tf.Tensor, { strides, padding }: Conv2DAttributes): boolean =>
  strides[0] === 1 &&
  strides[1] === 1 &&
  filter.shape[0] === 2 * padding[0] + 1 &&
  filter.shape[1] === 2 * padding[1] + 1;

/** Registers the kernel and its gradient for the `tensorflow` backend. */
export function registerConv2D(): void {
  tf.registerKernel({
    kernelName: KERNEL,
    backendName: TENSORFLOW,
    kernelFunc: ({ inputs, attrs }) => {
      const { x, filter } = inputs as { x: tf.Tensor; filter: tf.Tensor };
      const options = attrs as unknown as Conv2DAttributes;
      const unpadded = options.padding[0] === 0 && options.padding[1] === 0;
      const attributes = isSame(filter, options)
        ? convAttributes(options.strides, 'SAME')
        : unpadded
          ? convAttributes(options.strides, 'VALID')
          : convAttributes(options.strides, 'EXPLICIT', options.padding);
      return tensorflow().executeSingleOutput('Conv2D', attributes, [x, filter]);
    },
  });
  tf.registerGradient({
    kernelName: KERNEL,
    inputsToSave: ['x', 'filter'],
    // One closure per input: the tape calls only those that an asked-for variable needs, so a network's input and
    // a suppressed filter cost nothing.
    gradFunc: (dy, saved, attrs) => {
      const [x, filter] = saved as [tf.Tensor4D, tf.Tensor4D];
      const options = attrs as unknown as Conv2DAttributes;
      const same = isSame(filter, options);
      const [ph, pw] = same ? [0, 0] : options.padding;
      // EXPLICIT gradients take a slow path in TensorFlow; VALID on a padded input does not.
      const attributes = convAttributes(options.strides, same ? 'SAME' : 'VALID');
      const padded: [number, number, number, number] = [
        x.shape[0],
        x.shape[1] + 2 * ph,
        x.shape[2] + 2 * pw,
        x.shape[3],
      ];
      const pad = (): tf.Tensor4D =>
        ph + pw === 0
          ? x
          : tf.pad(x, [
              [0, 0],
              [ph, ph],
              [pw, pw],
              [0, 0],
            ]);
      return {
        x: () => {
          const full = tensorflow().executeSingleOutput('Conv2DBackpropInput', attributes, [
            tf.tensor1d(padded, 'int32'),
            filter,
            dy as tf.Tensor,
          ]);
          return ph + pw === 0 ? full : tf.slice(full, [0, ph, pw, 0], x.shape);
        },
        filter: () =>
          tensorflow().executeSingleOutput('Conv2DBackpropFilter', attributes, [
            pad(),
            tf.tensor1d(filter.shape, 'int32'),
            dy as tf.Tensor,
          ]),
      };
    },
  });
}

/** Runs the kernel. `registerConv2D` must have been called. */
export function conv2d(x: tf.Tensor, filter: tf.Tensor, attributes: Conv2DAttributes): tf.Tensor {
  return tf.engine().runKernel(KERNEL, { x, filter }, attributes as unknown as tf.NamedAttrMap) as tf.Tensor;
}

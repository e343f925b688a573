import * as tf from '@tensorflow/tfjs-core';

// TensorFlow.js has gradients of its gradients but for three kinds: the filter of a convolution and pooling, which are linear in what flows
// back, so that their own gradients are convolutions, or pick what the first pass has picked; and comparisons, which nothing that is
// differentiated once goes through.

interface ConvAttributes {
  readonly strides: [number, number] | number;
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dataFormat?: 'NHWC' | 'NCHW';
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

interface PoolAttributes extends Omit<ConvAttributes, 'dataFormat'> {
  readonly filterSize: [number, number] | number;
}

type Window = Parameters<typeof tf.backend_util.computePool2DInfo>;

let registered = false;

const COMPARISONS = [
  'Greater',
  'GreaterEqual',
  'Less',
  'LessEqual',
  'Equal',
  'NotEqual',
  'LogicalAnd',
  'LogicalOr',
];

/** Registers the gradients of gradients that TensorFlow.js lacks, for every backend; nothing the second time. */
export function registerSecondGradients(): void {
  if (registered) return;
  registered = true;
  const configs = [
    ...COMPARISONS.map((kernelName) => ({ kernelName, inputsToSave: ['a', 'b'], gradFunc: ofComparison })),
    { kernelName: 'LogicalNot', inputsToSave: ['x'], gradFunc: ofNegation },
    { kernelName: 'Conv2DBackpropFilter', inputsToSave: ['x', 'dy'], gradFunc: ofFilter },
    { kernelName: 'MaxPoolGrad', inputsToSave: ['dy', 'input', 'output'], gradFunc: ofMaxPool },
    { kernelName: 'AvgPoolGrad', inputsToSave: ['dy', 'input'], gradFunc: ofAveragePool },
  ];
  // Others may have brought theirs.
  for (const config of configs)
    if (!tf.getGradient(config.kernelName)) tf.registerGradient(config as unknown as tf.GradConfig);
}

type Saved = readonly tf.Tensor[];

/** Steps are flat. */
const flat = (x: tf.Tensor | undefined) => (): tf.Tensor => tf.zeros((x as tf.Tensor).shape);
const ofComparison = (_: tf.Tensor, [a, b]: Saved) => ({ a: flat(a), b: flat(b) });
const ofNegation = (_: tf.Tensor, [x]: Saved) => ({ x: flat(x) });

/** Σ x ⊗ dy is linear in both. */
function ofFilter(ddy: tf.Tensor4D, [x, dy]: Saved, attributes: ConvAttributes) {
  const { strides, pad, dataFormat = 'NHWC', dimRoundingMode } = attributes;
  const [input, flowing] = [x, dy] as [tf.Tensor4D, tf.Tensor4D];
  return {
    x: () =>
      tf.engine().runKernel('Conv2DBackpropInput', { dy: flowing, filter: ddy }, {
        strides,
        pad,
        dataFormat,
        dimRoundingMode,
        inputShape: input.shape,
      } as unknown as tf.NamedAttrMap) as tf.Tensor,
    dy: () => tf.conv2d(input, ddy, strides, pad, dataFormat, 1, dimRoundingMode),
  };
}

/** What flows back through a window goes to its first maximum, and so comes from there. */
function ofMaxPool(ddx: tf.Tensor4D, [, input, output]: Saved, attributes: PoolAttributes) {
  const { filterSize, strides, pad, dimRoundingMode } = attributes;
  const [x, y] = [input, output] as [tf.Tensor4D, tf.Tensor4D];
  return {
    dy: () => {
      const window: Window = [x.shape, filterSize, strides, 1, pad, dimRoundingMode];
      const { filterHeight, filterWidth, strideHeight, strideWidth, padInfo } =
        tf.backend_util.computePool2DInfo(...window);
      const [, height, width] = y.shape;
      const [below, beside] = [
        (height - 1) * strideHeight + filterHeight - padInfo.top - x.shape[1],
        (width - 1) * strideWidth + filterWidth - padInfo.left - x.shape[2],
      ];
      const padded = (values: tf.Tensor4D, filling: number): tf.Tensor4D =>
        tf.pad4d(
          values,
          [
            [0, 0],
            [padInfo.top, Math.max(0, below)],
            [padInfo.left, Math.max(0, beside)],
            [0, 0],
          ],
          filling,
        );
      const [around, flowing] = [padded(x, -Infinity), padded(ddx, 0)];
      const at = (values: tf.Tensor4D, row: number, column: number): tf.Tensor4D => {
        const [samples, , , channels] = values.shape;
        const end = [
          samples,
          row + (height - 1) * strideHeight + 1,
          column + (width - 1) * strideWidth + 1,
          channels,
        ];
        return tf.stridedSlice(values, [0, row, column, 0], end, [
          1,
          strideHeight,
          strideWidth,
          1,
        ]) as tf.Tensor4D;
      };
      let found: tf.Tensor4D = tf.zerosLike(y);
      let open: tf.Tensor4D = tf.onesLike(y);
      for (let row = 0; row < filterHeight; row++)
        for (let column = 0; column < filterWidth; column++) {
          const wins = tf.mul(open, tf.cast(tf.equal(at(around, row, column), y), 'float32')) as tf.Tensor4D;
          found = tf.add<tf.Tensor4D>(found, tf.mul(wins, at(flowing, row, column)));
          open = tf.sub<tf.Tensor4D>(open, wins);
        }
      return found;
    },
    // Where the maxima are does not move.
    input: () => tf.zerosLike(x),
    output: () => tf.zerosLike(y),
  };
}

/** A mean of what flows back, whatever the input. */
function ofAveragePool(ddx: tf.Tensor4D, [, input]: Saved, attributes: PoolAttributes) {
  const { filterSize, strides, pad, dimRoundingMode } = attributes;
  return {
    dy: () => tf.avgPool(ddx, filterSize, strides, pad, dimRoundingMode),
    input: () => tf.zerosLike(input as tf.Tensor),
  };
}

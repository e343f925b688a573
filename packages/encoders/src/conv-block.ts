import * as layers from '@tensorflow/tfjs-layers';

/** Shape of one convolution block. */
interface ConvBlockOptions {
  /** Prefix of the layers' names, for example `audio/conv1`. */
  readonly name: string;
  readonly filters: number;
  /** Window: side, or height and width. */
  readonly kernelSize: number | readonly [number, number];
  readonly stride: number;
  /** Zeros on every side. Explicit, since `same` with a stride pads asymmetrically in TensorFlow. */
  readonly padding: number;
}

/**
 * Convolution without bias, batch normalization (epsilon 1e-5, running statistics keep 0.9), ReLU.
 *
 * `[B, H, W, C]` → `[B, H', W', filters]`, H' = ⌊(H + 2·padding − kernelSize) / stride⌋ + 1.
 */
export function convBlock(
  input: layers.SymbolicTensor,
  { name, filters, kernelSize, stride, padding }: ConvBlockOptions,
): layers.SymbolicTensor {
  const { activation, batchNormalization, conv2d, zeroPadding2d } = layers.layers;
  const padded = padding > 0 ? zeroPadding2d({ padding, name: `${name}/pad` }).apply(input) : input;
  const convolved = conv2d({
    name,
    filters,
    kernelSize: typeof kernelSize === 'number' ? kernelSize : [...kernelSize],
    strides: stride,
    padding: 'valid',
    useBias: false,
  }).apply(padded);
  const normalized = batchNormalization({ name: `${name}/bn`, momentum: 0.9, epsilon: 1e-5 }).apply(
    convolved,
  );
  return activation({ name: `${name}/relu`, activation: 'relu' }).apply(normalized) as layers.SymbolicTensor;
}

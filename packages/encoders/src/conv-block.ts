import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { applyWindowed } from './frames.js';
import { SET_LATER } from './initialize-weights.js';

/** Shape of one convolution. */
export interface ConvolutionOptions {
  /** The layer's name, for example `audio/conv1`. */
  readonly name: string;
  readonly filters: number;
  /** Window: side, or height and width. */
  readonly kernelSize: number | readonly [number, number];
  readonly stride: number;
  /**
   * Zeros on every side. Explicit, since `same` with a stride pads asymmetrically in TensorFlow; `'same'` is for odd
   * windows without stride, where both agree.
   */
  readonly padding: number | 'same';
}

/**
 * Convolution without bias, of images or of each frame.
 *
 * `[B, H, W, C]` → `[B, H', W', filters]`, H' = ⌊(H + 2·padding − kernelSize) / stride⌋ + 1.
 */
export function convolution(
  input: SymbolicTensor,
  { name, filters, kernelSize, stride, padding }: ConvolutionOptions,
): SymbolicTensor {
  const layer = layers.conv2d({
    ...SET_LATER,
    name,
    filters,
    kernelSize: typeof kernelSize === 'number' ? kernelSize : [...kernelSize],
    strides: stride,
    padding: padding === 'same' ? 'same' : 'valid',
    useBias: false,
  });
  return applyWindowed(layer, padding === 'same' ? input : zeroPadding(input, padding, name));
}

/** Zeros on every side for the layer called `name`. */
export function zeroPadding(input: SymbolicTensor, padding: number, name: string): SymbolicTensor {
  return padding > 0 ? applyWindowed(layers.zeroPadding2d({ padding, name: `${name}/pad` }), input) : input;
}

/** Batch normalization as PyTorch's by default: epsilon 1e-5, running statistics keep 0.9. */
export function batchNormalization(input: SymbolicTensor, name: string): SymbolicTensor {
  return layers.batchNormalization({ name, momentum: 0.9, epsilon: 1e-5 }).apply(input) as SymbolicTensor;
}

/** Rectified linear units. */
export function relu(input: SymbolicTensor, name: string): SymbolicTensor {
  return layers.activation({ name, activation: 'relu' }).apply(input) as SymbolicTensor;
}

/** Convolution without bias, batch normalization, ReLU: the block of the small encoders. */
export function convBlock(input: SymbolicTensor, options: ConvolutionOptions): SymbolicTensor {
  const { name } = options;
  return relu(batchNormalization(convolution(input, options), `${name}/bn`), `${name}/relu`);
}

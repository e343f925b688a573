import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { batchNormalization, convolution, zeroPadding } from './conv-block.js';
import { SET_LATER } from './initialize-weights.js';

/** ReLU that saturates at 6. */
export function relu6(input: SymbolicTensor, name: string): SymbolicTensor {
  return layers.reLU({ name, maxValue: 6 }).apply(input) as SymbolicTensor;
}

/** Convolution, batch normalization, ReLU6, with torchvision's names: `<name>/0` and `<name>/1`. */
export function conv6(
  input: SymbolicTensor,
  {
    name,
    filters,
    kernelSize,
    stride,
  }: { readonly name: string; readonly filters: number; readonly kernelSize: 1 | 3; readonly stride: 1 | 2 },
): SymbolicTensor {
  const convolved = convolution(input, {
    name: `${name}/0`,
    filters,
    kernelSize,
    stride,
    padding: (kernelSize - 1) / 2,
  });
  return relu6(batchNormalization(convolved, `${name}/1`), `${name}/relu`);
}

/**
 * The block of MobileNetV2: 1 × 1 convolution to `expansion` times the channels, 3 × 3 convolution of each channel by itself,
 * 1 × 1 convolution without ReLU; plus the input where the shape stays.
 *
 * @see Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018, Fig. 4d
 */
export function invertedResidual(
  input: SymbolicTensor,
  {
    name,
    filters,
    stride,
    expansion,
  }: {
    readonly name: string;
    readonly filters: number;
    readonly stride: 1 | 2;
    readonly expansion: number;
  },
): SymbolicTensor {
  const channels = input.shape[3] as number;
  let index = 0;
  const path = (): string => `${name}/conv/${index++}`;

  let x = input;
  if (expansion > 1) {
    x = conv6(x, { name: path(), filters: channels * expansion, kernelSize: 1, stride: 1 });
  }
  const depthwise = path();
  const convolved = layers
    .depthwiseConv2d({
      depthwiseInitializer: SET_LATER.kernelInitializer,
      name: `${depthwise}/0`,
      kernelSize: 3,
      strides: stride,
      padding: stride === 1 ? 'same' : 'valid',
      useBias: false,
    })
    .apply(stride === 1 ? x : zeroPadding(x, 1, `${depthwise}/0`)) as SymbolicTensor;
  x = relu6(batchNormalization(convolved, `${depthwise}/1`), `${depthwise}/relu`);
  x = convolution(x, { name: path(), filters, kernelSize: 1, stride: 1, padding: 0 });
  x = batchNormalization(x, path());
  return stride === 1 && channels === filters
    ? (layers.add({ name: `${name}/add` }).apply([x, input]) as SymbolicTensor)
    : x;
}

import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { batchNormalization, convolution, relu, type ConvolutionOptions } from './conv-block.js';
import { toFeatureMap, toRows, type FeatureMap } from './frames.js';

/**
 * The residual block of ResNet-18: y = ReLU(bn2(conv2(ReLU(bn1(conv1(x))))) + shortcut(x)).
 *
 * The shortcut is x, or a 1 × 1 convolution with batch normalization where the block halves the size.
 *
 * @see He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, Fig. 5 left
 */
export function basicBlock(
  input: FeatureMap,
  { name, filters, stride }: { readonly name: string; readonly filters: number; readonly stride: 1 | 2 },
): FeatureMap {
  const normalized = (
    windows: SymbolicTensor,
    normalization: string,
    options: Omit<ConvolutionOptions, 'filters'>,
  ): { windows: SymbolicTensor; rows: SymbolicTensor } => {
    const convolved = convolution(windows, { ...options, filters });
    return {
      windows: convolved,
      rows: batchNormalization(toRows(convolved, options.name), normalization),
    };
  };

  const first = normalized(input.windows, `${name}/bn1`, {
    name: `${name}/conv1`,
    kernelSize: 3,
    stride,
    padding: stride === 1 ? 'same' : 1,
  });
  const hidden = toFeatureMap(relu(first.rows, `${name}/relu1`), first.windows, `${name}/relu1`);
  const second = normalized(hidden.windows, `${name}/bn2`, {
    name: `${name}/conv2`,
    kernelSize: 3,
    stride: 1,
    padding: 'same',
  });
  const shortcut =
    stride === 1
      ? input
      : normalized(input.windows, `${name}/downsample/1`, {
          name: `${name}/downsample/0`,
          kernelSize: 1,
          stride,
          padding: 0,
        });
  const sum = layers.add({ name: `${name}/add` }).apply([second.rows, shortcut.rows]) as SymbolicTensor;
  return toFeatureMap(relu(sum, `${name}/relu2`), second.windows, `${name}/relu2`);
}

import type { layers } from '@tensorflow/tfjs-layers';

/** The layers with weights inside of a layer: itself, what a wrapper such as TimeDistributed applies, what a nested model holds. */
export function innerLayers(layer: layers.Layer): layers.Layer[] {
  const { layer: wrapped, layers: nested } = layer as layers.Layer & {
    readonly layer?: layers.Layer;
    readonly layers?: readonly layers.Layer[];
  };
  return (nested ?? (wrapped && [wrapped]))?.flatMap(innerLayers) ?? [layer];
}

/**
 * What a variable of an encoder is, from the layer that made it and not from its rank: convolution kernels over two
 * axes of space (depthwise and pointwise ones too; those with four axes in the released code's terms), scales and shifts of a normalization, everything else.
 */
export function encoderRole(layer: layers.Layer, variable: string): 'conv' | 'norm' | 'encoder' {
  const kind = layer.getClassName();
  if (kind.endsWith('Normalization')) return 'norm';
  return /Conv.*2D/.test(kind) && variable.endsWith('kernel') ? 'conv' : 'encoder';
}

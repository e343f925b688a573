import type { layers } from '@tensorflow/tfjs-layers';

/** Layers that hold others. */
interface Outer {
  /** Of TimeDistributed. Of Bidirectional, which has copies of it, one without weights. */
  readonly layer?: layers.Layer;
  /** Of Bidirectional. */
  readonly forwardLayer?: layers.Layer;
  readonly backwardLayer?: layers.Layer;
  /** Of a nested model. */
  readonly layers?: readonly layers.Layer[];
}

/** The layers with weights inside of a layer: itself, what a wrapper such as TimeDistributed applies, what a nested model holds. */
export function innerLayers(layer: layers.Layer): layers.Layer[] {
  const { layer: wrapped, layers: nested, forwardLayer, backwardLayer } = layer as layers.Layer & Outer;
  if (forwardLayer && backwardLayer) return [forwardLayer, backwardLayer].flatMap(innerLayers);
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

import type { layers, LayersModel } from '@tensorflow/tfjs-layers';

type Sizes = readonly (number | null)[];

/**
 * The fewest rows with which layers can run in training mode: 2 where batch normalization has one value of a sample in each channel,
 * whose variance over one sample is 0. An axis of free length counts as long enough.
 */
export const minRows = ({ layers: all }: Pick<LayersModel, 'layers'>): number => fewest(all, undefined);

function fewest(all: readonly layers.Layer[], given: Sizes | undefined): number {
  return all.reduce((most, layer) => Math.max(most, fewestOf(layer, given)), 1);
}

/** @param given Shape of what the layer is called on, where its own nodes do not say it. */
function fewestOf(layer: layers.Layer, given: Sizes | undefined): number {
  const { layer: wrapped, layers: nested } = layer as layers.Layer & {
    readonly layer?: layers.Layer;
    readonly layers?: readonly layers.Layer[];
  };
  const shapes = layer.inboundNodes.flatMap(({ inputShapes }) => inputShapes as Sizes[]);
  const seen = shapes.length > 0 ? shapes : given ? [given] : [];
  if (nested) return fewest(nested, seen[0]);
  // Each step of time is normalized by itself.
  if (wrapped)
    return fewestOf(
      wrapped,
      seen[0]?.filter((_, axis) => axis !== 1),
    );
  if (layer.getClassName() !== 'BatchNormalization') return 1;
  const { axis } = layer.getConfig() as { readonly axis: number };
  const isSingle = (shape: Sizes): boolean =>
    shape.every((size, i) => i === 0 || i === (axis < 0 ? shape.length + axis : axis) || size === 1);
  return seen.some(isSingle) ? 2 : 1;
}

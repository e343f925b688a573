import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';

/**
 * A feature map between layers. Of single images both views are the same value `[B, H, W, C]`.
 *
 * Frames need two, since windows must not reach from one frame into the next, while normalization and all that works
 * element by element takes every frame of a batch together, as if frames were samples.
 */
export interface FeatureMap {
  /** For convolution and pooling. Frames: `[B, T, H, W, C]`. */
  readonly windows: SymbolicTensor;
  /** For everything else. Frames: `[B, T·H, W, C]`, the frames of a sample under each other. */
  readonly rows: SymbolicTensor;
}

/** Applies a layer that slides a window over images `[B, H, W, C]`, or over each frame of `[B, T, H, W, C]`. */
export function applyWindowed(layer: layers.Layer, input: SymbolicTensor): SymbolicTensor {
  const perFrame =
    input.shape.length === 5 ? layers.timeDistributed({ layer, name: `${layer.name}/frames` }) : layer;
  return perFrame.apply(input) as SymbolicTensor;
}

/** `[B, T, H, W, C]` → `[B, T·H, W, C]`; images stay as they are. */
export function toRows(windows: SymbolicTensor, name: string): SymbolicTensor {
  if (windows.shape.length === 4) return windows;
  const [, , , width, channels] = windows.shape as number[];
  return layers
    .reshape({ targetShape: [-1, width!, channels!], name: `${name}/rows` })
    .apply(windows) as SymbolicTensor;
}

/** The inverse of `toRows` for a value that is as high as `windows`. */
export function toFeatureMap(rows: SymbolicTensor, windows: SymbolicTensor, name: string): FeatureMap {
  if (windows.shape.length === 4) return { windows: rows, rows };
  const [, , height, width, channels] = windows.shape as number[];
  return {
    windows: layers
      .reshape({ targetShape: [-1, height!, width!, channels!], name: `${name}/windows` })
      .apply(rows) as SymbolicTensor,
    rows,
  };
}

import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { layers, SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { PerModality } from '@g2d/tensor-ops';

/** A layer of a fusion, and the modality it serves alone; `undefined` for a shared one. */
export interface FusionLayer<M extends string> {
  readonly layer: layers.Layer;
  readonly modality: M | undefined;
}

/** How k feature vectors become logits. */
export interface Fusion<M extends string> {
  readonly modalities: readonly M[];
  /** Every layer with weights. */
  readonly layers: readonly FusionLayer<M>[];
  /** Fused logits z `[B, C]` from the features `[B, D_m]` of every modality. */
  fuse(features: PerModality<M, Tensor2D>): Tensor2D;
  /** Logits u_m `[B, C]` of each modality alone. */
  unimodalLogits(features: PerModality<M, Tensor2D>): Record<M, Tensor2D>;
  /** The same graph on symbolic tensors, for `toLayersModel`. */
  symbolic(features: PerModality<M, SymbolicTensor>): {
    logits: SymbolicTensor;
    unimodalLogits: Record<M, SymbolicTensor>;
  };
}

import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { layers, SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { PerModality } from '@g2d/tensor-ops';

/** A layer of a fusion, and the modality it serves alone; `undefined` for a shared one. */
export interface FusionLayer<M extends string> {
  readonly layer: layers.Layer;
  readonly modality: M | undefined;
}

/** What a fusion makes of the encoders' features, and so what a model gives back. */
export interface Outputs<M extends string> {
  /**
   * f_m `[B, D_m]`: what methods compare with the teachers' features. The encoders' own, but for `gatedFusion`, which
   * gives their projections h_m.
   */
  readonly features: PerModality<M, Tensor2D>;
  /** z `[B, C]`. */
  readonly logits: Tensor2D;
  /** u_m `[B, C]`. */
  readonly unimodalLogits: PerModality<M, Tensor2D>;
}

/** How k feature vectors become logits. */
export interface Fusion<M extends string> {
  readonly modalities: readonly M[];
  /** D_m: width of the features of each modality's encoder. */
  readonly widths: PerModality<M, number>;
  /** Every layer with weights. */
  readonly layers: readonly FusionLayer<M>[];
  /** Everything in one pass over the heads, from the encoders' features `[B, D_m]`. */
  apply(features: PerModality<M, Tensor2D>): Outputs<M>;
  /** The same on symbolic tensors, from standard layers that share the weights, for `toLayersModel`. */
  symbolic(features: PerModality<M, SymbolicTensor>): {
    readonly logits: SymbolicTensor;
    readonly unimodalLogits: PerModality<M, SymbolicTensor>;
  };
}

/** What every fusion is built from. */
export interface FusionOptions<M extends string> {
  /** D_m: width of each modality's features, in the modalities' order. */
  readonly widths: PerModality<M, number>;
  /** C, or 1 for a regression. */
  readonly classes: number;
  /** Of the initial weights (Xavier normal, biases 0), an integer. */
  readonly seed: number;
}

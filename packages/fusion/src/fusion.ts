import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { layers, SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { PerModality } from '@g2d/core';

/** A layer of a fusion, and the modality it serves alone; `undefined` for a shared one. */
export interface FusionLayer<M extends string> {
  readonly layer: layers.Layer;
  readonly modality: M | undefined;
}

/**
 * Which samples have which modality: float32 `[B]`, 1 for those that have it and 0 for the others. A modality without
 * a mask is there in every sample.
 */
export type Presence<M extends string> = Readonly<Partial<Record<M, Tensor1D>>>;

/** What a fusion makes of the encoders' features, and so what a model gives back. */
export interface Outputs<M extends string> {
  /**
   * f_m `[B, D_m]`: what methods compare with the teachers' features. The encoders' own, but for `gatedFusion`, which
   * gives their projections h_m. 0 (there b_m) for samples without the modality.
   */
  readonly features: PerModality<M, Tensor2D>;
  /** z `[B, C]`. */
  readonly logits: Tensor2D;
  /** u_m `[B, C]`. For samples without the modality it is what features of 0 give: leave these rows out of any score. */
  readonly unimodalLogits: PerModality<M, Tensor2D>;
}

/** How k feature vectors become logits. */
export interface Fusion<M extends string> {
  readonly modalities: readonly M[];
  /** D_m: width of the features of each modality's encoder. */
  readonly widths: PerModality<M, number>;
  /** Every layer with weights. */
  readonly layers: readonly FusionLayer<M>[];
  /**
   * Everything in one pass over the heads, from the encoders' features `[B, D_m]`. Nothing that stands in the rows of
   * samples without the modality, NaN included, reaches an output or a gradient.
   */
  apply(features: PerModality<M, Tensor2D>, present?: Presence<M>): Outputs<M>;
  /** The same on symbolic tensors, from standard layers that share the weights, for `toLayersModel`: without masks. */
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

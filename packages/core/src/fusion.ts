import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { layers, SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { Presence } from './batch.js';
import type { InputShape } from './encoder.js';
import type { Outputs } from './outputs.js';
import type { PerModality } from './per-modality.js';

/** A layer of a fusion, and the modality it serves alone; `undefined` for a shared one. */
export interface FusionLayer<M extends string> {
  readonly layer: layers.Layer;
  readonly modality: M | undefined;
}

/** What a fusion is told about a pass beside the features. */
export interface FusionPass<M extends string> {
  /** Batch statistics and dropout in the fusion's own layers. The model sees to it that running statistics stay where they are to stay. */
  readonly training: boolean;
  /** Default: every sample has every modality. */
  readonly present?: Presence<M> | undefined;
  /** Who has modalities whose input is zeros elsewhere: features are those of zeros, and count. Default: not known. */
  readonly zeroed?: Presence<M> | undefined;
}

/** How k feature vectors become logits. */
export interface Fusion<M extends string> {
  readonly modalities: readonly M[];
  /** D_m: width of the features of each modality's encoder. */
  readonly widths: PerModality<M, number>;
  /** Every layer with weights. */
  readonly layers: readonly FusionLayer<M>[];
  /**
   * Everything in one pass over the heads, from the encoders' features `[B, D_m]`. Nothing that stands in the rows of samples without the
   * modality, NaN included, reaches an output or a gradient.
   *
   * What it gives beside `Outputs`, such as imputed features, the model hands on to the method.
   */
  apply(features: PerModality<M, Tensor2D>, pass: FusionPass<M>): Outputs<M>;
  /** The same on symbolic tensors, from standard layers that share the weights, for an export: without masks. */
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
  /** Of the initial weights, an integer. */
  readonly seed: number;
  /** Of one sample of each modality, channels last, for fusions that reconstruct inputs. */
  readonly inputShapes?: PerModality<M, InputShape>;
}

import type * as tf from '@tensorflow/tfjs-core';
import type { PerModality } from './per-modality.js';

/**
 * What a model gives back. A model may give more, such as what it imputes: a method made for it narrows the type of its argument,
 * `loss(outputs: Outputs<M> & Imputed<M>, step)`.
 */
export interface Outputs<M extends string> {
  /** f_m `[B, D_m]`: what methods compare with the teachers' features. */
  readonly features: PerModality<M, tf.Tensor2D>;
  /** z `[B, C]`, unnormalized; `[B, 1]` for a regression. */
  readonly logits: tf.Tensor2D;
  /** u_m `[B, C]`, each modality's own. For samples without the modality they mean nothing: leave these rows out of any score. */
  readonly unimodalLogits: PerModality<M, tf.Tensor2D>;
}

/** The encoders' features: a fusion that projects them first, such as gated fusion, gives them beside its own as `encoded`. */
export const encodedOf = <M extends string>(
  outputs: Outputs<M> & { readonly encoded?: Outputs<M>['features'] },
): Outputs<M>['features'] => outputs.encoded ?? outputs.features;

/** What is scored. */
export type Logits<M extends string> = Pick<Outputs<M>, 'logits' | 'unimodalLogits'>;

/** A loss and the parts worth logging; `total` is what is minimized. */
export type LossTerms = Readonly<Record<string, tf.Scalar>> & { readonly total: tf.Scalar };

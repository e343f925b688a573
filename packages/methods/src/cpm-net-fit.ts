import { perModality, type PerModality, type Presence } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { adamStep, untrained } from './adam-of-tensor.js';
import { decode, reconstruction, type Decoder, type DecoderDropout } from './cpm-net-fusion.js';

/** What latent vectors of new samples are fitted to, and how. */
export interface LatentFit<M extends string> {
  /** The vectors that the fit begins with, `[B, d]`. */
  readonly start: tf.Tensor2D;
  readonly decoders: PerModality<M, Decoder>;
  readonly features: PerModality<M, tf.Tensor2D>;
  readonly present: Presence<M> | undefined;
  /** Of Adam. */
  readonly steps: number;
  readonly learningRate: number;
  readonly dropout?: DecoderDropout;
}

/** Latent vectors `[B, d]` of some samples: from all modalities that they have, and from each alone. */
export interface FittedLatents<M extends string> {
  readonly fused: tf.Tensor2D;
  readonly alone: PerModality<M, tf.Tensor2D>;
  /** D_m of the first, `[B, D_m]`: what a missing modality would be. */
  readonly imputed: PerModality<M, tf.Tensor2D>;
}

/**
 * Fits the latent vectors of samples by steps of Adam on the reconstruction of what they have. A sample's result depends on that sample alone: the loss
 * is a sum over samples, and Adam works entry by entry.
 */
export function fitLatents<M extends string>(fit: LatentFit<M>): FittedLatents<M> {
  const { start, decoders, features, dropout } = fit;
  const modalities = Object.keys(decoders) as M[];
  // All fits at once: the rows with all modalities, and with each alone.
  const copies = modalities.length + 1;
  const tiled = perModality(modalities, (m) => tf.tile(features[m], [copies, 1]));
  const masks = perModality(modalities, (m) => {
    const own = fit.present?.[m] ?? tf.ones<tf.Rank.R1>([start.shape[0]]);
    return tf.concat([own, ...modalities.map((other) => (other === m ? own : tf.zerosLike(own)))]);
  });
  const gradient = tf.grad((h: tf.Tensor) =>
    reconstruction(decoders, h as tf.Tensor2D, { features: tiled, present: masks, dropout }),
  );
  let fitted = untrained(tf.tile(start, [copies, 1]));
  for (let step = 0; step < fit.steps; step++) {
    const before = fitted;
    fitted = tf.tidy(() => ({
      ...adamStep(before, gradient(before.value) as tf.Tensor2D, fit.learningRate),
    }));
    tf.dispose([before.value, before.firstMoment, before.secondMoment]);
  }
  const [fused, ...rest] = tf.split(fitted.value, copies) as [tf.Tensor2D, ...tf.Tensor2D[]];
  return {
    fused,
    alone: perModality(modalities, (m) => rest[modalities.indexOf(m)] as tf.Tensor2D),
    imputed: perModality(modalities, (m) => decode(decoders[m], fused)),
  };
}

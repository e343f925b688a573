import * as tf from '@tensorflow/tfjs-core';
import { layers, model, type SymbolicTensor, input } from '@tensorflow/tfjs-layers';
import { initializeWeights } from '@g2d/encoders';
import { OptionError, perModality, type PerModality } from '@g2d/tensor-ops';
import type { Fusion } from './fusion.js';

/**
 * Late fusion: a linear head for each modality, logits averaged.
 *
 * u_m = W_m f_m + b_m,  z = (1/k) Σ_m u_m
 *
 * @param options `widths`: D_m of each modality, in the modalities' order. `classes`: C. `seed`: of the initial weights.
 * @throws {OptionError} If there is no modality.
 * @example
 * const fusion = lateFusion({ widths: { audio: 64, image: 32 }, classes: 10, seed: 0 });
 * @see G2D, Sec. 4.1 and Table 5; released code, `models/fusion_modules.py`
 */
export function lateFusion<const M extends string>({
  widths,
  classes,
  seed,
}: {
  readonly widths: PerModality<M, number>;
  readonly classes: number;
  readonly seed: number;
}): Fusion<M> {
  const modalities = Object.keys(widths) as M[];
  if (modalities.length === 0) {
    throw new OptionError('`widths` names no modality; a fusion needs at least one.', {
      option: 'widths',
      value: widths,
      accepted: 'one width or more',
    });
  }
  const heads = perModality(modalities, (modality) =>
    layers.dense({ name: `head/${modality}`, units: classes }),
  );
  for (const modality of modalities) {
    const features = input({ shape: [widths[modality]] });
    initializeWeights(
      model({ inputs: features, outputs: heads[modality].apply(features) as SymbolicTensor }),
      seed,
    );
  }
  const mean = layers.average({ name: 'fusion/mean' });

  const unimodalLogits = (features: PerModality<M, tf.Tensor2D>): Record<M, tf.Tensor2D> =>
    perModality(modalities, (modality) => heads[modality].apply(features[modality]) as tf.Tensor2D);
  return {
    modalities,
    layers: modalities.map((modality) => ({ layer: heads[modality], modality })),
    unimodalLogits,
    fuse: (features) =>
      tf.tidy(() => {
        const logits = Object.values<tf.Tensor2D>(unimodalLogits(features));
        return tf.div(tf.addN(logits), logits.length) as tf.Tensor2D;
      }),
    symbolic: (features) => {
      const unimodal = perModality(
        modalities,
        (modality) => heads[modality].apply(features[modality]) as SymbolicTensor,
      );
      const all = Object.values<SymbolicTensor>(unimodal);
      // The average layer refuses a single input, of which it is the identity.
      return {
        logits: all.length > 1 ? (mean.apply(all) as SymbolicTensor) : (all[0] as SymbolicTensor),
        unimodalLogits: unimodal,
      };
    },
  };
}

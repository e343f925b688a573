import * as tf from '@tensorflow/tfjs-core';
import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { defineFusion, perModality, type Fusion, type FusionOptions } from '@g2d/core';
import { z } from 'zod';
import { linearHeads } from './linear-heads.js';
import { countPresent, presentFeatures, sumOverPresent } from './presence.js';

/**
 * Late fusion: a linear head for each modality, logits averaged.
 *
 * u_m = W_m f_m + b_m,  z = (1/k) Σ_m u_m
 *
 * With presence masks z is the mean over the modalities that a sample has (0 if it has none). Heads are called
 * `head/<modality>`.
 *
 * @throws {OptionError} If there is no modality, or a size is not a positive integer.
 * @example
 * const fusion = lateFusion({ widths: { audio: 64, image: 32 }, classes: 10, seed: 0 });
 * @see G2D, Sec. 4.1 and Table 5; released code, `models/fusion_modules.py`
 */
export const lateFusion = defineFusion({
  name: 'late',
  label: 'Late',
  summary: 'a linear head for each modality, logits averaged',
  source: { code: 'released code of G2D, models/fusion_modules.py' },
  options: z.strictObject({}),
  create,
});

function create<M extends string>(options: FusionOptions<M>): Fusion<M> {
  const { heads, ...fusion } = linearHeads(options);
  const { modalities } = fusion;
  return {
    ...fusion,
    apply: (given, { present }) =>
      tf.tidy(() => {
        const features = presentFeatures(modalities, given, present);
        const unimodalLogits = perModality(modalities, (modality) =>
          heads[modality].apply(features[modality]),
        );
        const sum = sumOverPresent(modalities, unimodalLogits, present);
        const logits = tf.div<tf.Tensor2D>(sum, countPresent(modalities, present));
        return { features, logits, unimodalLogits };
      }),
    symbolic: (features) => {
      const unimodalLogits = perModality(modalities, (modality) =>
        heads[modality].symbolic(features[modality]),
      );
      const all = modalities.map((modality) => unimodalLogits[modality]);
      const mean = layers.average({ name: 'fusion/mean' });
      // The average layer refuses a single input, of which it is the identity.
      const logits = all.length > 1 ? mean.apply(all) : all[0];
      return { logits: logits as SymbolicTensor, unimodalLogits };
    },
  };
}

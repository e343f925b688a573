import * as tf from '@tensorflow/tfjs-core';
import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { defineFusion, perModality, type Fusion, type FusionOptions } from '@g2d/core';
import { z } from 'zod';
import { linearHeads } from './linear-heads.js';
import { symbolicWithShareOfBias, withShareOfBias } from './linear.js';
import { presentFeatures, sumOverPresent } from './presence.js';

const options = z.strictObject({
  unimodalBias: z
    .enum(['share', 'whole'])
    .default('share')
    .describe(
      "of a modality's own logits: b_m / k, as the released code of G2D with its two modalities, or all of b_m, as that of AGM; the fused ones are then their sum",
    ),
});

/**
 * Sum fusion: a linear head for each modality, logits added.
 *
 * z = Σ_m (W_m f_m + b_m),  u_m = W_m f_m + b_m / k, or W_m f_m + b_m with `unimodalBias: 'whole'`
 *
 * The released code halves the bias of u_m with its two modalities; b_m / k is that for any number of them. z is
 * therefore not the sum of the u_m, unless these have their whole bias. With presence masks the sum is over the modalities that a sample has, without the
 * biases of the others. Heads are called `head/<modality>`.
 *
 * @throws {OptionError} If there is no modality, or a size is not a positive integer.
 * @example
 * const fusion = sumFusion({ widths: { audio: 512, visual: 512 }, classes: 6, seed: 0 });
 * @see G2D, Table 5; released code, `models/fusion_modules.py` and `unimodal_outputs`
 */
export const sumFusion = defineFusion({
  name: 'sum',
  label: 'Sum',
  summary: 'a linear head for each modality, logits added',
  source: { code: 'released code of G2D, models/fusion_modules.py' },
  options,
  create,
});

function create<M extends string>(
  spec: FusionOptions<M>,
  { unimodalBias }: z.output<typeof options>,
): Fusion<M> {
  const { heads, ...fusion } = linearHeads(spec);
  const { modalities } = fusion;
  // Among how many a modality's bias is shared.
  const k = unimodalBias === 'whole' ? 1 : modalities.length;
  return {
    ...fusion,
    apply: (given, { present }) =>
      tf.tidy(() => {
        const features = presentFeatures(modalities, given, present);
        const products = perModality(modalities, (modality) =>
          tf.matMul<tf.Tensor2D>(features[modality], heads[modality].kernel()),
        );
        const terms = perModality(modalities, (modality) =>
          tf.add<tf.Tensor2D>(products[modality], heads[modality].bias()),
        );
        return {
          features,
          logits: sumOverPresent(modalities, terms, present),
          unimodalLogits: perModality(modalities, (modality) =>
            withShareOfBias(products[modality], heads[modality].bias(), k),
          ),
        };
      }),
    symbolic: (features) => {
      const all = modalities.map((modality) => heads[modality].symbolic(features[modality]));
      return {
        // The layer refuses a single input, of which it is the identity.
        logits: (modalities.length > 1
          ? layers.add({ name: 'fusion/sum' }).apply(all)
          : all[0]) as SymbolicTensor,
        unimodalLogits: perModality(modalities, (modality) =>
          symbolicWithShareOfBias(`unimodal/${modality}`, heads[modality], features[modality], k),
        ),
      };
    },
  };
}

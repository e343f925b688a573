import type { Fusion, FusionOptions } from '@g2d/core';
import { concatFusion, lateFusion } from '@g2d/fusion';
import * as tf from '@tensorflow/tfjs-core';

/**
 * A fusion whose unimodal logits come from heads of their own, which have no part in the fused logits.
 *
 * @param fused Gives z and the features.
 * @param heads Gives u_m, for example a `lateFusion` of the same widths.
 * @example
 * const options = { widths: { audio: 512, video: 512 }, classes: 6, seed: 0 };
 * const fusion = separateHeads(concatFusion(options), lateFusion(options));
 */
export function separateHeads<M extends string>(fused: Fusion<M>, heads: Fusion<M>): Fusion<M> {
  return {
    modalities: fused.modalities,
    widths: fused.widths,
    layers: [...fused.layers, ...heads.layers],
    apply: (features, pass) =>
      tf.tidy(() => ({
        ...fused.apply(features, pass),
        unimodalLogits: { ...heads.apply(features, pass).unimodalLogits },
      })),
    symbolic: (features) => ({
      logits: fused.symbolic(features).logits,
      unimodalLogits: heads.symbolic(features).unimodalLogits,
    }),
  };
}

/** A fused linear head on the concatenated features, and a linear one for each modality beside it. */
export const separateLinearHeads = <M extends string>(options: FusionOptions<M>): Fusion<M> =>
  separateHeads(concatFusion(options), lateFusion(options));

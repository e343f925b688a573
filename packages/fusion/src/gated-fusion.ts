import * as tf from '@tensorflow/tfjs-core';
import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { defineFusion, perModality, type Fusion, type FusionOptions } from '@g2d/core';
import { z } from 'zod';
import { linear, sumOf, symbolicSumOf, symbolicWithShareOfBias, withShareOfBias } from './linear.js';
import { checkedActing } from './options.js';
import { presentFeatures } from './presence.js';

const options = z.strictObject({
  gatedBy: z
    .string()
    .optional()
    .describe('the modality whose projection gates those of all others. Default: the first'),
  hidden: z
    .int()
    .min(1)
    .default(512)
    .describe(
      "width of the projections; feature distillation needs it to be the width of the teachers' features",
    ),
});

/**
 * Gated fusion ("bi-gated" in Table 5): a projection of each modality, one of them a gate for all others.
 *
 * h_m = W_m f_m + b_m,  z = W_o (σ(h_x) ⊙ Σ_{m≠x} h_m) + b_o,  u_m = W_o h_m + b_o / k
 *
 * For two modalities this is the released code; neither it nor the paper, which has three in Table 5, says what more are.
 *
 * The features of the outputs are the projections h_m, as in the released code: feature distillation compares these
 * with the teachers' features. With presence masks the features of absent samples are 0, so h_m is b_m there. Of two modalities the layers are called as there: `fusion/fc_x` and `fusion/fc_y`
 * project the first and the second of `widths`; of more `head/<modality>/projection`. They are in their modalities' groups (`head`); `fusion/fc_out` is shared.
 *
 * @throws {OptionError} If there is one modality only, or `gatedBy` is none of them.
 * @example
 * const fusion = gatedFusion({ widths: { audio: 512, visual: 512 }, classes: 6, seed: 0 }); // audio gates visual
 * @see G2D, Table 5; released code, `models/fusion_modules.py` and `unimodal_outputs`; Kiela et al., AAAI 2018
 */
export const gatedFusion = defineFusion({
  name: 'gated',
  label: 'Gated',
  summary: 'a projection of each modality, one of them a gate for all others',
  source: {
    paper: 'Kiela et al., Efficient Large-Scale Multi-Modal Classification, AAAI 2018',
    code: 'released code of G2D, models/fusion_modules.py',
  },
  modalities: { min: 2 },
  options,
  create,
});

function create<M extends string>(
  spec: FusionOptions<M>,
  { gatedBy, hidden }: z.output<typeof options>,
): Fusion<M> {
  const { widths, classes, seed } = spec;
  const { modalities, acting, others } = checkedActing('Gated fusion', spec, {
    option: 'gatedBy',
    value: gatedBy as M | undefined,
  });
  const names = modalities.length === 2 ? ['fusion/fc_x', 'fusion/fc_y'] : undefined;
  const projections = perModality(modalities, (modality) =>
    linear(names?.[modalities.indexOf(modality)] ?? `head/${modality}/projection`, {
      width: widths[modality],
      units: hidden,
      seed,
    }),
  );
  const out = linear('fusion/fc_out', { width: hidden, units: classes, seed });
  return {
    modalities,
    widths,
    layers: [
      ...modalities.map((modality) => ({ layer: projections[modality].layer, modality })),
      { layer: out.layer, modality: undefined },
    ],
    apply: (given, { present }) =>
      tf.tidy(() => {
        const features = presentFeatures(modalities, given, present);
        const projected = perModality(modalities, (modality) =>
          projections[modality].apply(features[modality]),
        );
        return {
          features: projected,
          // For methods that look at what the encoders give.
          encoded: features,
          logits: out.apply(
            tf.mul(tf.sigmoid(projected[acting]), sumOf(others.map((other) => projected[other]))),
          ),
          unimodalLogits: perModality(modalities, (modality) =>
            withShareOfBias(tf.matMul(projected[modality], out.kernel()), out.bias(), modalities.length),
          ),
        };
      }),
    symbolic: (features) => {
      const projected = perModality(modalities, (modality) =>
        projections[modality].symbolic(features[modality]),
      );
      const gate = layers
        .activation({ name: 'fusion/gate', activation: 'sigmoid' })
        .apply(projected[acting]) as SymbolicTensor;
      const opened = symbolicSumOf(
        'fusion/others',
        others.map((other) => projected[other]),
      );
      const gated = layers.multiply({ name: 'fusion/gated' }).apply([gate, opened]);
      return {
        logits: out.symbolic(gated as SymbolicTensor),
        unimodalLogits: perModality(modalities, (modality) =>
          symbolicWithShareOfBias(`unimodal/${modality}`, out, projected[modality], modalities.length),
        ),
      };
    },
  };
}

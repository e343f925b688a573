import * as tf from '@tensorflow/tfjs-core';
import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { defineFusion, OptionError, perModality, type Fusion, type FusionOptions } from '@g2d/core';
import { z } from 'zod';
import { linear, sumOf, symbolicSumOf, symbolicWithShareOfBias, withShareOfBias } from './linear.js';
import { checkedActing } from './options.js';
import { presentFeatures } from './presence.js';

const options = z.strictObject({
  conditionedBy: z
    .string()
    .optional()
    .describe('the modality that scales and shifts the features of all others. Default: the first'),
  hidden: z
    .int()
    .min(1)
    .optional()
    .describe(
      "width of a linear projection of each modality's features before everything else; features of different widths need it. Default: none, as in the released code",
    ),
});

/**
 * FiLM fusion: one modality's features scale and shift those of all others.
 *
 * [γ(f); β(f)] = W f + b,  z = W_o Σ_{m≠x} (γ(f_x) ⊙ f_m + β(f_x)) + b_o
 *
 * u_m = W_o (γ(f_m) ⊙ f_m + β(f_m)) + b_o / k: each modality modulates itself. z is not their sum. For two modalities this is the released
 * code; neither it nor the paper, which has three in Table 5, says what more are.
 *
 * With `hidden` every f above is h_m = P_m f_m + p_m in place of f_m; the outputs' features stay f_m. With presence masks the
 * features of absent samples are 0: (γ, β) of an absent x are the biases, another absent modality leaves its β alone.
 *
 * The layers are called `fusion/fc` (`[B, D]` → `[B, 2 D]`, γ first) and `fusion/fc_out`; both are shared. Projections are
 * called `head/<modality>/projection` and are in their modality's group (`head`).
 *
 * @throws {OptionError} If there is one modality only, their features are not equally wide and there is no `hidden`, or
 * `conditionedBy` is none of them.
 * @example
 * const fusion = filmFusion({ widths: { audio: 512, visual: 512 }, classes: 6, seed: 0 }); // audio conditions visual
 * @see G2D, Table 5; released code, `models/fusion_modules.py` and `unimodal_outputs`; Perez et al., AAAI 2018
 */
export const filmFusion = defineFusion({
  name: 'film',
  label: 'FiLM',
  summary: "one modality's features scale and shift those of all others",
  source: { paper: 'Perez et al., FiLM, AAAI 2018', code: 'released code of G2D, models/fusion_modules.py' },
  modalities: { min: 2 },
  options,
  create,
});

function create<M extends string>(
  spec: FusionOptions<M>,
  { conditionedBy, hidden }: z.output<typeof options>,
): Fusion<M> {
  const { widths, classes, seed } = spec;
  const { modalities, acting, others } = checkedActing('FiLM fusion', spec, {
    option: 'conditionedBy',
    value: conditionedBy as M | undefined,
  });
  const [first] = modalities as [M, ...M[]];
  const width = hidden ?? widths[first];
  const another = modalities.find((modality) => widths[modality] !== width);
  if (hidden === undefined && another !== undefined) {
    throw new OptionError(
      `FiLM fusion needs features of one width, since each modality also modulates itself, but ${first} has ${width} and ${another} has ${widths[another]}. Give \`hidden\`, a width to project all to, or end all encoders with equally many units.`,
      { option: 'widths', value: widths, accepted: 'equal widths, or any with `hidden`' },
    );
  }
  const projections =
    hidden === undefined
      ? undefined
      : perModality(modalities, (modality) =>
          linear(`head/${modality}/projection`, { width: widths[modality], units: hidden, seed }),
        );
  const fc = linear('fusion/fc', { width, units: 2 * width, seed });
  const out = linear('fusion/fc_out', { width, units: classes, seed });
  return {
    modalities,
    widths,
    layers: [
      ...(projections
        ? modalities.map((modality) => ({ layer: projections[modality].layer, modality }))
        : []),
      ...[fc, out].map(({ layer }) => ({ layer, modality: undefined })),
    ],
    apply: (given, { present }) =>
      tf.tidy(() => {
        const features = presentFeatures(modalities, given, present);
        const h = projections
          ? perModality(modalities, (modality) => projections[modality].apply(features[modality]))
          : features;
        const film = perModality(modalities, (modality) => {
          const [gamma, beta] = tf.split(fc.apply(h[modality]), 2, 1) as [tf.Tensor2D, tf.Tensor2D];
          return (y: tf.Tensor2D): tf.Tensor2D => tf.add(tf.mul(gamma, y), beta);
        });
        return {
          features,
          logits: out.apply(sumOf(others.map((other) => film[acting](h[other])))),
          unimodalLogits: perModality(modalities, (modality) => {
            const modulated = film[modality](h[modality]);
            return withShareOfBias(tf.matMul(modulated, out.kernel()), out.bias(), modalities.length);
          }),
        };
      }),
    symbolic: (features) => {
      const h = projections
        ? perModality(modalities, (modality) => projections[modality].symbolic(features[modality]))
        : features;
      const film = perModality(modalities, (modality) => {
        const name = `film/${modality}`;
        // No standard layer splits features: γ and β become the rows of an image, to be cropped.
        const rows = layers
          .reshape({ name: `${name}/rows`, targetShape: [2, width, 1] })
          .apply(fc.symbolic(h[modality]));
        const row = (part: string, cropped: [number, number]): SymbolicTensor => {
          const crop = layers.cropping2D({ name: `${name}/${part}/row`, cropping: [cropped, [0, 0]] });
          return layers
            .reshape({ name: `${name}/${part}`, targetShape: [width] })
            .apply(crop.apply(rows)) as SymbolicTensor;
        };
        const [gamma, beta] = [row('gamma', [0, 1]), row('beta', [1, 0])];
        return (target: M): SymbolicTensor => {
          const scaled = layers.multiply({ name: `${name}/scaled/${target}` });
          const shifted = layers.add({ name: `${name}/shifted/${target}` });
          return shifted.apply([scaled.apply([gamma, h[target]]) as SymbolicTensor, beta]) as SymbolicTensor;
        };
      });
      return {
        logits: out.symbolic(symbolicSumOf('fusion/conditioned', others.map(film[acting]))),
        unimodalLogits: perModality(modalities, (modality) =>
          symbolicWithShareOfBias(`unimodal/${modality}`, out, film[modality](modality), modalities.length),
        ),
      };
    },
  };
}

import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { defineFusion, OptionError, perModality, type Fusion, type FusionOptions } from '@g2d/core';
import { z } from 'zod';
import { attentionNetwork } from './attention-network.js';
import { zeros } from './linear.js';
import { checkedModalities } from './options.js';
import { presenceColumn, presentFeatures } from './presence.js';

const options = z.strictObject({
  hidden: z.int().min(1).default(512).describe('width of the tokens that the features become'),
  heads: z.int().min(1).default(8).describe('of the attention; must divide `hidden`'),
});

/**
 * Cross-attention fusion of two modalities or more: each modality's features become a token, and every token attends to
 * the tokens of all modalities, in all directions.
 *
 * t_m = P_m f_m + p_m
 *
 * a_m = [head_1; …; head_H] A + a,  head_h = Σ_j softmax_j(Q_h t_m · K_h t_j / √(d/H)) V_h t_j,  j over all k modalities
 *
 * z = W [LN(t_1 + a_1); …; LN(t_k + a_k)] + b
 *
 * u_m = z of the features with zeros in place of the other modalities'.
 *
 * The paper has this fusion in Table 5, but neither it nor the released code says how it is built; this is
 * `nn.MultiheadAttention` over one token for each modality, with residual and layer normalization, as in a Transformer
 * layer. A token also attends to itself: with two modalities the other one's token alone would always get the weight 1,
 * which is no attention.
 *
 * With presence masks nobody attends to an absent modality, and its own part of z is W · 0.
 *
 * Layers: `head/<modality>/projection` (in the modality's group, `head`), and, shared, `fusion/attention/in_proj`,
 * `fusion/attention/out_proj`, `fusion/norm` and `fusion/fc_out`.
 *
 * @throws {OptionError} If there is one modality only, `heads` does not divide `hidden`, or a size is not a positive integer.
 * @example
 * const fusion = crossAttentionFusion({ widths: { audio: 768, visual: 768, text: 768 }, classes: 4, seed: 0 });
 * @see G2D, Table 5; Vaswani et al., "Attention Is All You Need", NeurIPS 2017, Sec. 3.2
 */
export const crossAttentionFusion = defineFusion({
  name: 'cross-attention',
  label: 'Cross-attention',
  summary: "each modality's features become a token, and every token attends to all",
  source: { paper: 'Vaswani et al., Attention Is All You Need, NeurIPS 2017, Sec. 3.2' },
  modalities: { min: 2 },
  options,
  create,
});

function create<M extends string>(
  spec: FusionOptions<M>,
  { hidden, heads }: z.output<typeof options>,
): Fusion<M> {
  const { widths, classes, seed } = spec;
  const modalities = checkedModalities(spec);
  if (modalities.length === 1) {
    throw new OptionError(
      `Cross-attention fusion is for two modalities or more, but \`widths\` names ${modalities.join()} alone. Use late fusion for one.`,
      { option: 'widths', value: widths, accepted: 'two modalities or more' },
    );
  }
  if (hidden % heads !== 0) {
    throw new OptionError(
      `\`heads\` is ${heads} and \`hidden\` is ${hidden}: every head gets an equal share of the width. Choose a number of heads that divides ${hidden}.`,
      { option: 'heads', value: heads, accepted: `a divisor of ${hidden}` },
    );
  }
  const network = attentionNetwork({ modalities, widths, classes, seed, hidden, heads });
  const only = <T>(alone: M, features: Readonly<Record<M, T>>, zero: (other: M) => T): Record<M, T> =>
    perModality(modalities, (modality) => (modality === alone ? features[modality] : zero(modality)));
  const inOrder = <T>(features: Readonly<Record<M, T>>): T[] =>
    modalities.map((modality) => features[modality]);
  const run = (model: LayersModel, tensors: tf.Tensor[]): tf.Tensor2D => model.apply(tensors) as tf.Tensor2D;

  return {
    modalities,
    widths,
    layers: network.layers,
    apply: (given, { present }) =>
      tf.tidy(() => {
        const features = presentFeatures(modalities, given, present);
        const all = inOrder(features);
        const masked = modalities.some((modality) => present?.[modality]);
        const column = (modality: M): tf.Tensor2D => {
          const mask = present?.[modality];
          return mask ? presenceColumn(mask) : tf.ones([features[modality].shape[0], 1]);
        };
        return {
          features,
          logits: masked
            ? run(network.masked, [...all, tf.concat(modalities.map(column), 1)])
            : run(network.plain, all),
          unimodalLogits: perModality(modalities, (modality) => {
            const alone = only(modality, features, (other) => tf.zerosLike(features[other]));
            return run(network.plain, inOrder(alone));
          }),
        };
      }),
    symbolic: (features) => {
      const logits = (x: Readonly<Record<M, SymbolicTensor>>): SymbolicTensor =>
        network.plain.apply(inOrder(x)) as SymbolicTensor;
      return {
        logits: logits(features),
        unimodalLogits: perModality(modalities, (modality) =>
          logits(
            only(modality, features, (other) =>
              zeros(`unimodal/${modality}/without-${other}`, features[other]),
            ),
          ),
        ),
      };
    },
  };
}

import * as tf from '@tensorflow/tfjs-core';
import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { defineFusion, perModality, type Fusion, type FusionOptions } from '@g2d/core';
import { z } from 'zod';
import { denseNetwork } from './dense-network.js';
import { zeros } from './linear.js';
import { checkedModalities } from './options.js';
import { presentFeatures } from './presence.js';

const options = z.strictObject({
  hidden: z
    .union([z.int().min(1), z.array(z.int().min(1)).min(1)])
    .default([128, 128])
    .describe('width of the hidden layer, or of each of them'),
  dropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe('share of the values that training sets to 0 after each hidden layer'),
});

/**
 * Concatenation fusion with hidden layers: a perceptron on all features, ReLU between its layers.
 *
 * z = MLP([f_1; …; f_k]),  u_m = z of the features with zeros in place of the other modalities'
 *
 * With presence masks the features of absent samples are 0. The layers are `fusion/classifier/0` and so on, and shared.
 *
 * @throws {OptionError} If there is no modality, or a size is not a positive integer.
 * @example
 * const fusion = concatMlpFusion({ widths: { audio: 128, text: 128 }, classes: 4, seed: 0, hidden: [128, 128], dropout: 0.3 });
 * @see Zhao et al., Missing Modality Imagination Network (ACL 2021), whose first stage has it; released code, `utt_fusion_model.py`
 */
export const concatMlpFusion = defineFusion({
  name: 'concat-mlp',
  label: 'Concatenation, MLP',
  summary: 'a perceptron with hidden layers on all features',
  source: { paper: 'Zhao et al., ACL 2021', code: 'MMIN 69a45fe, models/utt_fusion_model.py' },
  options,
  create,
});

function create<M extends string>(
  spec: FusionOptions<M>,
  { hidden, dropout }: z.output<typeof options>,
): Fusion<M> {
  const { widths, classes, seed } = spec;
  const modalities = checkedModalities(spec);
  const width = modalities.reduce((sum, modality) => sum + widths[modality], 0);
  const units = [...(typeof hidden === 'number' ? [hidden] : hidden), classes];
  const head = denseNetwork('fusion/classifier', { width, units, dropout, seed });
  const only = <T>(alone: M, features: Readonly<Record<M, T>>, zero: (other: M) => T): T[] =>
    modalities.map((modality) => (modality === alone ? features[modality] : zero(modality)));
  return {
    modalities,
    widths,
    layers: head.layers.map((layer) => ({ layer, modality: undefined })),
    apply: (given, { training, present }) =>
      tf.tidy(() => {
        const features = presentFeatures(modalities, given, present);
        const all = modalities.map((modality) => features[modality]);
        return {
          features,
          logits: head.apply(tf.concat(all, 1), { training }),
          unimodalLogits: perModality(modalities, (modality) =>
            head.apply(
              tf.concat(
                only(modality, features, (other) => tf.zerosLike(features[other])),
                1,
              ),
              {
                training,
              },
            ),
          ),
        };
      }),
    symbolic: (features) => {
      const joined = (name: string, all: readonly SymbolicTensor[]): SymbolicTensor =>
        (all.length > 1 ? layers.concatenate({ name }).apply([...all]) : all[0]) as SymbolicTensor;
      return {
        logits: head.symbolic(
          joined(
            'fusion/concat',
            modalities.map((modality) => features[modality]),
          ),
        ),
        unimodalLogits: perModality(modalities, (modality) => {
          const name = `unimodal/${modality}`;
          const parts = only(modality, features, (other) =>
            zeros(`${name}/without-${other}`, features[other]),
          );
          return head.symbolic(joined(`${name}/concat`, parts));
        }),
      };
    },
  };
}

import * as tf from '@tensorflow/tfjs-core';
import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { defineFusion, perModality, type Fusion, type FusionOptions } from '@g2d/core';
import { z } from 'zod';
import { linear, symbolicWithShareOfBias, withShareOfBias, zeros } from './linear.js';
import { checkedModalities } from './options.js';
import { presentFeatures } from './presence.js';

/**
 * Concatenation fusion: one linear layer on all features.
 *
 * z = W [f_1; …; f_k] + b,  u_m = W_m f_m + b / k,  W_m: the columns of W that f_m meets, so that z = Σ_m u_m
 *
 * With presence masks the features of absent samples are 0, so z = Σ_m u_m over the modalities that a sample has, but for
 * the bias, which stays whole. The layer is called `fusion/fc_out`. Its kernel is one variable, so its group is shared, although blocks of its rows
 * (PyTorch: columns) belong to one modality each: scopes with heads leave it alone.
 *
 * @throws {OptionError} If there is no modality, or a size is not a positive integer.
 * @example
 * const fusion = concatFusion({ widths: { audio: 512, visual: 512 }, classes: 6, seed: 0 });
 * @see G2D, Table 5; released code, `models/fusion_modules.py` and `unimodal_outputs`
 */
export const concatFusion = defineFusion({
  name: 'concat',
  label: 'Concatenation',
  summary: 'one linear layer on all features',
  source: { code: 'released code of G2D, models/fusion_modules.py' },
  options: z.strictObject({}),
  create,
});

function create<M extends string>(options: FusionOptions<M>): Fusion<M> {
  const { widths, classes, seed } = options;
  const modalities = checkedModalities(options);
  const k = modalities.length;
  const width = modalities.reduce((sum, modality) => sum + widths[modality], 0);
  const out = linear('fusion/fc_out', { width, units: classes, seed });
  return {
    modalities,
    widths,
    layers: [{ layer: out.layer, modality: undefined }],
    apply: (given, { present }) =>
      tf.tidy(() => {
        const features = presentFeatures(modalities, given, present);
        const all = modalities.map((modality) => features[modality]);
        const kernel = out.kernel();
        const sizes = modalities.map((modality) => widths[modality]);
        // The gradient of one piece is none in TensorFlow.js.
        const blocks = k > 1 ? tf.split(kernel, sizes) : [kernel];
        return {
          features,
          logits: out.apply(tf.concat(all, 1)),
          unimodalLogits: perModality(modalities, (modality) => {
            const block = blocks[modalities.indexOf(modality)] as tf.Tensor2D;
            return withShareOfBias(tf.matMul(features[modality], block), out.bias(), k);
          }),
        };
      }),
    symbolic: (features) => {
      const concatenate = (name: string, all: readonly SymbolicTensor[]): SymbolicTensor =>
        (k > 1 ? layers.concatenate({ name }).apply([...all]) : all[0]) as SymbolicTensor;
      return {
        logits: out.symbolic(
          concatenate(
            'fusion/concat',
            modalities.map((modality) => features[modality]),
          ),
        ),
        // Zeros in place of the other modalities leave W_m f_m + b.
        unimodalLogits: perModality(modalities, (modality) => {
          const name = `unimodal/${modality}`;
          const alone = modalities.map((other) =>
            other === modality ? features[other] : zeros(`${name}/without-${other}`, features[other]),
          );
          return symbolicWithShareOfBias(name, out, concatenate(`${name}/concat`, alone), k);
        }),
      };
    },
  };
}

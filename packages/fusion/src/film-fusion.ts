import * as tf from '@tensorflow/tfjs-core';
import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { OptionError, perModality } from '@g2d/tensor-ops';
import type { Fusion, FusionOptions } from './fusion.js';
import { linear, symbolicWithShareOfBias, withShareOfBias } from './linear.js';
import { checkedPair } from './options.js';

/** Settings of `filmFusion`. */
export interface FilmFusionOptions<M extends string> extends FusionOptions<M> {
  /** The modality x that scales and shifts the features of the other one. Default: the first. */
  readonly conditionedBy?: NoInfer<M>;
}

/**
 * FiLM fusion: one modality's features scale and shift those of the other.
 *
 * [γ(f); β(f)] = W f + b,  z = W_o (γ(f_x) ⊙ f_y + β(f_x)) + b_o
 *
 * u_m = W_o (γ(f_m) ⊙ f_m + β(f_m)) + b_o / 2: each modality modulates itself. z is not their sum.
 *
 * The layers are called `fusion/fc` (`[B, D]` → `[B, 2 D]`, γ first) and `fusion/fc_out`; both are shared.
 *
 * @throws {OptionError} If there are not two modalities whose features are equally wide, or `conditionedBy` is neither.
 * @example
 * const fusion = filmFusion({ widths: { audio: 512, visual: 512 }, classes: 6, seed: 0 }); // audio conditions visual
 * @see G2D, Table 5; released code, `models/fusion_modules.py` and `unimodal_outputs`; Perez et al., AAAI 2018
 */
export function filmFusion<const M extends string>(options: FilmFusionOptions<M>): Fusion<M> {
  const { widths, classes, seed, conditionedBy } = options;
  const pair = checkedPair('FiLM fusion', options, { option: 'conditionedBy', value: conditionedBy });
  const { first, second, acting, other } = pair;
  const modalities = [first, second];
  const width = widths[first];
  if (widths[second] !== width) {
    throw new OptionError(
      `FiLM fusion needs features of one width, since each modality also modulates itself, but ${first} has ${width} and ${second} has ${widths[second]}. End both encoders with equally many units.`,
      { option: 'widths', value: widths, accepted: 'two equal widths' },
    );
  }
  const fc = linear('fusion/fc', { width, units: 2 * width, seed });
  const out = linear('fusion/fc_out', { width, units: classes, seed });
  return {
    modalities,
    widths,
    layers: [fc, out].map(({ layer }) => ({ layer, modality: undefined })),
    apply: (features) =>
      tf.tidy(() => {
        const film = perModality(modalities, (modality) => {
          const [gamma, beta] = tf.split(fc.apply(features[modality]), 2, 1) as [tf.Tensor2D, tf.Tensor2D];
          return (y: tf.Tensor2D): tf.Tensor2D => tf.add(tf.mul(gamma, y), beta);
        });
        return {
          features,
          logits: out.apply(film[acting](features[other])),
          unimodalLogits: perModality(modalities, (modality) => {
            const modulated = film[modality](features[modality]);
            return withShareOfBias(tf.matMul(modulated, out.kernel()), out.bias(), modalities.length);
          }),
        };
      }),
    symbolic: (features) => {
      const film = perModality(modalities, (modality) => {
        const name = `film/${modality}`;
        // No standard layer splits features: γ and β become the rows of an image, to be cropped.
        const rows = layers
          .reshape({ name: `${name}/rows`, targetShape: [2, width, 1] })
          .apply(fc.symbolic(features[modality]));
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
          return shifted.apply([
            scaled.apply([gamma, features[target]]) as SymbolicTensor,
            beta,
          ]) as SymbolicTensor;
        };
      });
      return {
        logits: out.symbolic(film[acting](other)),
        unimodalLogits: perModality(modalities, (modality) =>
          symbolicWithShareOfBias(`unimodal/${modality}`, out, film[modality](modality), modalities.length),
        ),
      };
    },
  };
}

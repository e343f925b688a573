import { defineFusion, perModality, type Fusion, type FusionOptions } from '@g2d/core';
import { initializeWeights } from '@g2d/encoders';
import * as tf from '@tensorflow/tfjs-core';
import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { z } from 'zod';

const options = z.strictObject({ hidden: z.int().min(1).describe('width of the hidden layer') });

/**
 * Two linear layers with a ReLU between them on the concatenated features, which some cases have: z = W_2 relu(W_1 [f_1; …; f_k] + b_1) + b_2. No
 * part of z is a modality's own, so u_m is z of a sample that has modality m alone.
 */
export const concatMlpFusion = defineFusion({
  name: 'concat-mlp',
  label: 'Concat, two layers',
  summary: 'two linear layers on the concatenated features',
  options,
  create: <M extends string>(
    { widths, classes }: FusionOptions<M>,
    { hidden }: z.output<typeof options>,
  ): Fusion<M> => {
    const modalities = Object.keys(widths) as M[];
    const first = layers.dense({ name: 'fusion/0', units: hidden, activation: 'relu' });
    const second = layers.dense({ name: 'fusion/1', units: classes });
    const features = input({ shape: [modalities.reduce((sum, m) => sum + widths[m], 0)] });
    initializeWeights(
      model({ inputs: features, outputs: second.apply(first.apply(features)) as SymbolicTensor }),
      0,
    );
    const logitsOf = (parts: readonly tf.Tensor2D[]): tf.Tensor2D =>
      second.apply(first.apply(tf.concat([...parts], 1))) as tf.Tensor2D;
    return {
      modalities,
      widths,
      layers: [first, second].map((layer) => ({ layer, modality: undefined })),
      apply: (given) =>
        tf.tidy(() => ({
          features: given,
          logits: logitsOf(modalities.map((m) => given[m])),
          unimodalLogits: perModality(modalities, (m) =>
            logitsOf(modalities.map((other) => (other === m ? given[m] : tf.zerosLike(given[other])))),
          ),
        })),
      symbolic: () => {
        throw new Error('Models of cases are not exported.');
      },
    };
  },
});

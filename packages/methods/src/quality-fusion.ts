import { perModality, type Fusion, type FusionOptions } from '@g2d/core';
import { lateFusion } from '@g2d/fusion';
import { stopGradient } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';

/** c = α · log Σ_j exp(u_j) of each sample `[B]`: minus the energy of its logits, scaled. */
export const energyConfidence = (logits: tf.Tensor2D, scale: number): tf.Tensor1D =>
  tf.mul(tf.logSumExp(logits, 1), scale);

/**
 * The fusion that QMF trains: a linear head of each modality, `head/<modality>`, and their logits weighed by how sure they are, sample by sample.
 *
 * u_m = W_m f_m + b_m,  z = Σ_m c_m u_m over the modalities that a sample has,  c_m = α · log Σ_j exp(u_m,j)
 *
 * @param options `constantWeights`: the gradient of z does not go through c_m.
 */
export function qualityFusion<M extends string>(
  given: FusionOptions<M>,
  { scale, constantWeights }: { readonly scale: number; readonly constantWeights: boolean },
): Fusion<M> {
  const heads = lateFusion(given);
  const { modalities } = heads;
  return {
    modalities,
    widths: heads.widths,
    layers: heads.layers,
    apply: (encoded, pass) =>
      tf.tidy(() => {
        const { features, unimodalLogits } = heads.apply(encoded, pass);
        const parts = modalities.map((m) => {
          const own = unimodalLogits[m];
          const confidence = tf.expandDims(energyConfidence(own, scale), 1);
          const part = tf.mul(own, constantWeights ? stopGradient(confidence) : confidence);
          const mask = pass.present?.[m];
          return mask ? tf.where(tf.greater(tf.expandDims(mask, 1), 0), part, tf.zerosLike(part)) : part;
        });
        return { features, unimodalLogits, logits: tf.addN(parts) as tf.Tensor2D };
      }),
    symbolic(features) {
      const { unimodalLogits } = heads.symbolic(features);
      const parts = modalities.map((m) => {
        const name = `fusion/${m}`;
        const own = unimodalLogits[m];
        // log Σ exp(u) = u_j − logSoftmax(u)_j for every class j. TensorFlow.js knows this activation, its types do not.
        const logarithms = layers.activation({
          name: `${name}/logarithms`,
          activation: 'logSoftmax' as never,
        });
        const minus = layers.rescaling({ name: `${name}/minus`, scale: -1 });
        const energy = layers
          .add({ name: `${name}/energy` })
          .apply([own, minus.apply(logarithms.apply(own)) as SymbolicTensor]);
        const confidence = layers.rescaling({ name: `${name}/confidence`, scale }).apply(energy);
        return layers
          .multiply({ name: `${name}/weighed` })
          .apply([own, confidence as SymbolicTensor]) as SymbolicTensor;
      });
      const logits = parts.length > 1 ? layers.add({ name: 'fusion/sum' }).apply(parts) : parts[0];
      return {
        logits: logits as SymbolicTensor,
        unimodalLogits: perModality(modalities, (m) => unimodalLogits[m]),
      };
    },
  };
}

import { OptionError, perModality, type Fusion, type FusionOptions, type Outputs } from '@g2d/core';
import { concatFusion, lateFusion } from '@g2d/fusion';
import * as tf from '@tensorflow/tfjs-core';
import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';

/** What the fusion of DI-MML gives beside the usual. */
export interface DetachedOutputs<M extends string> extends Outputs<M> {
  /** g_s(f_m). */
  readonly sharedLogits: Record<M, tf.Tensor2D>;
  /** g_f of all features. */
  readonly concatLogits: tf.Tensor2D;
}

/**
 * Heads weighed by how sure they are: z = Σ_h w_h z_h, w = softmax over h of max softmax(z_h) / τ.
 *
 * @param heads `present`: of a head that some samples have no use for; its weight is 0 there.
 */
export function confidenceFused(
  heads: readonly { readonly logits: tf.Tensor2D; readonly present?: tf.Tensor1D | undefined }[],
  temperature: number,
): { readonly logits: tf.Tensor2D; readonly weights: tf.Tensor2D } {
  const columns = heads.map(({ logits, present }) => {
    const confidence = tf.div(tf.max(tf.softmax(logits), 1), temperature);
    return present
      ? tf.where(tf.greater(present, 0), confidence, tf.fill(confidence.shape, -1e9))
      : confidence;
  });
  const weights = tf.softmax(tf.stack(columns, 1)) as tf.Tensor2D;
  const parts = heads.map(({ logits, present }, i) => {
    const own = present
      ? tf.where(tf.greater(tf.reshape(present, [-1, 1]), 0), logits, tf.zerosLike(logits))
      : logits;
    return tf.mul(own, tf.slice(weights, [0, i], [-1, 1]));
  });
  return { logits: tf.addN(parts) as tf.Tensor2D, weights };
}

/**
 * The fusion that DI-MML trains: a linear head of each modality, one that all share, and one on the concatenated features. z are the logits of the modalities'
 * heads and the last one, each weighed by how sure it is.
 *
 * The heads are `head/<modality>`, `head/shared` and `fusion/fc_out`.
 *
 * @throws {OptionError} If the encoders' features are not equally wide.
 */
export function diMmlFusion<M extends string>(
  given: FusionOptions<M>,
  { temperature }: { readonly temperature: number },
): Fusion<M> {
  const { widths, classes, seed } = given;
  const modalities = Object.keys(widths) as M[];
  const [width] = modalities.map((m) => widths[m]);
  if (width === undefined || modalities.some((m) => widths[m] !== width))
    throw new OptionError(
      `DI-MML has a head that all modalities share, but the features are not equally wide: ${modalities.map((m) => `${m} ${widths[m]}`).join(', ')}. Give all encoders the same width.`,
      { option: 'widths', value: widths, accepted: 'equal widths' },
    );
  const own = lateFusion({ widths, classes, seed });
  const shared = lateFusion<string>({ widths: { shared: width }, classes, seed });
  const concat = concatFusion({ widths, classes, seed });
  return {
    modalities,
    widths,
    layers: [
      ...own.layers,
      ...shared.layers.map(({ layer }) => ({ layer, modality: undefined })),
      ...concat.layers,
    ],
    apply: (encoded, pass) =>
      tf.tidy(() => {
        const { features, unimodalLogits } = own.apply(encoded, pass);
        const concatLogits = concat.apply(encoded, pass).logits;
        const sharedLogits = perModality(
          modalities,
          (m) => shared.apply({ shared: features[m] }, { training: pass.training }).logits,
        );
        const heads = modalities.map((m) => ({ logits: unimodalLogits[m], present: pass.present?.[m] }));
        const { logits, weights } = confidenceFused([...heads, { logits: concatLogits }], temperature);
        return { features, unimodalLogits, sharedLogits, concatLogits, logits, weights };
      }),
    symbolic(features) {
      const { unimodalLogits } = own.symbolic(features);
      const heads = [...modalities.map((m) => unimodalLogits[m]), concat.symbolic(features).logits];
      const confidences = heads.map((logits, i) => {
        const probabilities = layers
          .activation({ name: `fusion/${i}/probabilities`, activation: 'softmax' })
          .apply(logits) as SymbolicTensor;
        const column = layers
          .reshape({ name: `fusion/${i}/column`, targetShape: [classes, 1] })
          .apply(probabilities);
        return layers.globalMaxPooling1d({ name: `fusion/${i}/confidence` }).apply(column) as SymbolicTensor;
      });
      const all = layers.concatenate({ name: 'fusion/confidences' }).apply(confidences) as SymbolicTensor;
      const scaled = layers.rescaling({ name: 'fusion/temperature', scale: 1 / temperature }).apply(all);
      const shares = layers
        .activation({ name: 'fusion/shares', activation: 'softmax' })
        .apply(scaled) as SymbolicTensor;
      const rows = heads.map(
        (logits, i) =>
          layers
            .reshape({ name: `fusion/${i}/row`, targetShape: [1, classes] })
            .apply(logits) as SymbolicTensor,
      );
      const stack = layers.concatenate({ name: 'fusion/rows', axis: 1 }).apply(rows) as SymbolicTensor;
      const logits = layers
        .dot({ name: 'fusion/sum', axes: [1, 1] })
        .apply([shares, stack]) as SymbolicTensor;
      return { logits, unimodalLogits };
    },
  };
}

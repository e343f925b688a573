import { accelerate } from '@g2d/accelerate';
import { OptionError, perModality, type Fusion, type FusionOptions, type Outputs } from '@g2d/core';
import { initializeWeights, zeroMaskedBlock } from '@g2d/encoders';
import * as tf from '@tensorflow/tfjs-core';
import { input, layers, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { presentRows } from './present-rows.js';
import { assertSizes, tagsOf } from './tate-tags.js';

/** What the fusion of TATE gives beside the usual; T is the sum of all modalities' steps, W = `width` and the tag. */
export interface TaggedOutputs<M extends string> extends Outputs<M> {
  /** N `[B, T, W]`: what modalities have in common, and the tag. */
  readonly tagged: tf.Tensor3D;
  /** G `[B, T, W]`. */
  readonly encoded: tf.Tensor3D;
  /** R `[B, T, W]`. */
  readonly decoded: tf.Tensor3D;
  /** `[B, k + 1]`: 1 for nothing missing, then 1 for each missing modality. */
  readonly tags: tf.Tensor2D;
  /** The encoder's idea of it, before the sigmoid, `[B, k + 1]`. */
  readonly tagLogits: tf.Tensor2D;
}

/** How the fusion of TATE is built. */
export interface TateFusionOptions {
  /** D. */
  readonly width: number;
  readonly heads: number;
  readonly dropout: number;
  /** Modalities that the tag of every sample calls missing; `undefined`: those that it lacks. */
  readonly constantTag: readonly string[] | undefined;
}

/**
 * The fusion of TATE: every two modalities share a linear map; the mapped steps of all, each with the tag of what the sample lacks, go through a block of attention, whose steps are pooled.
 *
 * C_m = [E_m W_mn of the other modalities n], N = [C_1; …; C_k] with the tag at every step, G = block(N), R = block'(G), z = (Σ_t a_t G_t) H W + b, a = softmax_t((G U ⊙ sigmoid(G V)) r)
 *
 * W_mn has D / (k − 1) columns. The tag is 1 for nothing missing, then 1 for each missing modality, and zeros up to a multiple of `heads`: four numbers for three modalities. Layers: `fusion/…`.
 * It gives no logits of single modalities: zeros.
 *
 * @throws {OptionError} If there is one modality, widths are no whole numbers of steps, or do not go together with `heads`.
 */
export function tateFusion<M extends string>(
  { widths, classes, seed }: FusionOptions<M>,
  { width, heads, dropout, constantTag }: TateFusionOptions,
): Fusion<M> {
  const modalities = Object.keys(widths) as M[];
  const k = modalities.length;
  assertSizes(widths, { width, heads, constantTag });
  const tagWidth = Math.ceil((k + 1) / heads) * heads;
  const whole = width + tagWidth;
  const stepsOf = (m: M): number => widths[m] / width;
  const total = modalities.reduce((sum, m) => sum + stepsOf(m), 0);
  const made: layers.Layer[] = [];
  const linear = (name: string, given: number, units: number, useBias = false): layers.Layer => {
    const layer = layers.dense({ name: `fusion/${name}`, units, useBias });
    const x = input({ shape: [given] });
    initializeWeights(model({ inputs: x, outputs: layer.apply(x) as SymbolicTensor }), seed);
    made.push(layer);
    return layer;
  };
  const block = (name: string): LayersModel => {
    const x = input({ shape: [total, whole] });
    const network = model({
      name: `fusion/${name}`,
      inputs: x,
      outputs: zeroMaskedBlock(x, { name: `fusion/${name}`, heads, dropout }),
    });
    initializeWeights(network, seed);
    made.push(...network.layers.filter(({ weights }) => weights.length > 0));
    return accelerate(network);
  };
  const common = new Map(
    modalities.flatMap((m, i) =>
      modalities
        .slice(i + 1)
        .map((n) => [`${m}/${n}`, linear(`common/${m}-${n}`, width, width / (k - 1))] as const),
    ),
  );
  const commonOf = (m: M, n: M): layers.Layer =>
    (common.get(`${m}/${n}`) ?? common.get(`${n}/${m}`)) as layers.Layer;
  const [encoder, decoder] = [block('encoder'), block('decoder')];
  const pool = {
    value: linear('pool/value', whole, whole),
    gate: linear('pool/gate', whole, whole),
    score: linear('pool/score', whole, 1),
  };
  const hidden = linear('output/hidden', whole, width);
  const out = linear('output/logits', width, classes, true);

  return {
    modalities,
    widths,
    layers: made.map((layer) => ({ layer, modality: undefined })),
    apply: (given, pass) =>
      tf.tidy(() => {
        const { training, present } = pass;
        const features = perModality(modalities, (m) => presentRows(given[m], present?.[m]));
        const samples = features[modalities[0] as M].shape[0];
        const parts = modalities.map((m) => {
          const steps = tf.reshape(features[m], [samples, stepsOf(m), width]);
          return tf.concat(
            modalities.filter((n) => n !== m).map((n) => commonOf(m, n).apply(steps) as tf.Tensor3D),
            2,
          );
        });
        const tags = tagsOf(modalities, { samples, pass, constantTag });
        const wide = tf.pad(tags, [
          [0, 0],
          [0, tagWidth - (k + 1)],
        ]);
        const tagged = tf.concat(
          [tf.concat(parts, 1), tf.tile(tf.expandDims(wide, 1), [1, total, 1])],
          2,
        ) as tf.Tensor3D;
        const encoded = encoder.apply(tagged, { training }) as tf.Tensor3D;
        const decoded = decoder.apply(encoded, { training }) as tf.Tensor3D;
        const gated = tf.mul(
          pool.value.apply(encoded) as tf.Tensor,
          tf.sigmoid(pool.gate.apply(encoded) as tf.Tensor),
        );
        const scores = tf.squeeze(pool.score.apply(gated) as tf.Tensor3D, [2]);
        const weights = tf.expandDims(tf.softmax(scores), 2);
        const pooled = tf.sum(tf.mul(weights, encoded), 1) as tf.Tensor2D;
        return {
          features,
          tagged,
          encoded,
          decoded,
          tags,
          tagLogits: tf.slice(pooled, [0, width], [-1, k + 1]),
          logits: out.apply(hidden.apply(pooled)) as tf.Tensor2D,
          unimodalLogits: perModality(modalities, () => tf.zeros<tf.Rank.R2>([samples, classes])),
        };
      }),
    symbolic() {
      throw new OptionError(
        'TATE tells its network what a sample lacks, which a saved model of layers has no input for. Use `g2d evaluate`, or `predict` of the training.',
        {
          option: 'fusion',
          value: 'tate',
          accepted: 'a fusion whose logits are layers of the features alone',
        },
      );
    },
  };
}

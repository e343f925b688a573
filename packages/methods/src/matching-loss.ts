import { OptionError, perModality, type Outputs, type PerModality, type Probe } from '@g2d/core';
import { valuesOf } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { presentMean } from './present-mean.js';

/** How two modalities of a sample are compared. */
export type Matching =
  { readonly form: 'divergence' } | { readonly form: 'contrastive'; readonly temperature: number };

type Place<M extends string> = Pick<Probe<M>, 'batch' | 'allReduce' | 'model'>;

/** Every two modalities. */
const pairsOf = <M extends string>(modalities: readonly M[]): (readonly [M, M])[] =>
  modalities.flatMap((a, i) => modalities.slice(i + 1).map((b) => [a, b] as const));

/**
 * A: how far the modalities of a sample are from each other, the mean over all pairs of modalities, of the samples that have both. Without such
 * samples a pair is 0, with gradients of 0.
 *
 * `divergence`: ½ [KL(m‖p) + KL(m‖q)], p and q the softmaxes of the pair's logits, m their mean. `contrastive`: ½ mean_i [−log softmax_j(s_ij)[i] −
 * log softmax_j(s_ji)[i]], s_ij the cosine of f_a,i and f_b,j over the temperature, j over the batch.
 *
 * @throws {OptionError} If features that are compared are not equally wide.
 */
export function matchingLoss<M extends string>(
  { features, unimodalLogits }: Outputs<M>,
  step: Place<M>,
  matching: Matching,
): tf.Scalar {
  const pairs = pairsOf(step.model.modalities);
  const terms = pairs.flatMap(([a, b]) => {
    if (matching.form === 'divergence')
      return [presentMean(divergence(unimodalLogits[a], unimodalLogits[b]), step, [a, b])];
    const products = similarities(features, [a, b], matching.temperature);
    return [products, tf.transpose<tf.Tensor2D>(products)].map((s) =>
      tf.mul<tf.Scalar>(presentMean(ownLoss(s, step, [a, b]), step, [a, b]), 0.5),
    );
  });
  return tf.div(tf.addN(terms), pairs.length);
}

/** Which modalities have nobody to be compared with in a batch: 1, or 0. One sample alone tells nothing from the others. */
export function unmatched<M extends string>(
  { batch, model }: Place<M>,
  { form }: Matching,
): PerModality<M, number> {
  const least = form === 'contrastive' ? 2 : 1;
  const masks = perModality(model.modalities, (m) => valuesOf(batch.present?.[m]));
  const has = (m: M, i: number): boolean => !masks[m] || masks[m][i]! > 0;
  const both = (a: M, b: M): number => batch.ids.filter((_, i) => has(a, i) && has(b, i)).length;
  return perModality(model.modalities, (m) =>
    Number(!model.modalities.some((other) => other !== m && both(m, other) >= least)),
  );
}

/** ½ Σ_c m_c (2 log m_c − log p_c − log q_c) of each sample. */
function divergence(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor1D {
  const [logP, logQ] = [tf.logSoftmax(a), tf.logSoftmax(b)];
  // log (p + q) / 2, of probabilities that are 0 in float32 too.
  const logM = tf.sub(tf.add(logQ, tf.softplus(tf.sub(logP, logQ))), Math.LN2);
  const distance = tf.sub(tf.mul(logM, 2), tf.add(logP, logQ));
  return tf.mul(tf.sum(tf.mul(tf.exp(logM), distance), 1), 0.5);
}

/** Cosines of every two samples over the temperature, `[B, B]`. */
function similarities<M extends string>(
  features: PerModality<M, tf.Tensor2D>,
  pair: readonly [M, M],
  temperature: number,
): tf.Tensor2D {
  const [a, b] = pair.map((m) => features[m]) as [tf.Tensor2D, tf.Tensor2D];
  if (a.shape[1] !== b.shape[1]) throw unequalWidths(pair, [a.shape[1], b.shape[1]]);
  // Features of 0 have no direction, and here no gradient that is not a number.
  const unit = (f: tf.Tensor2D): tf.Tensor2D =>
    tf.mul(f, tf.rsqrt(tf.add(tf.sum(tf.square(f), 1, true), 1e-12)));
  return tf.div(tf.matMul(unit(a), unit(b), false, true), temperature);
}

/** −log softmax_j(s_ij)[i] of each sample, over those that have both modalities. */
function ownLoss<M extends string>(
  products: tf.Tensor2D,
  { batch }: Place<M>,
  pair: readonly [M, M],
): tf.Tensor1D {
  const masks = pair.flatMap((m) => batch.present?.[m] ?? []);
  const others = masks.reduce<tf.Tensor>((sum, mask) => tf.add(sum, tf.mul(tf.sub(1, mask), -1e9)), products);
  const own = tf.sum<tf.Tensor1D>(tf.mul(tf.logSoftmax(others), tf.eye(batch.ids.length)), 1);
  return tf.neg(own);
}

/** What somebody says whose features do not fit each other. */
export const unequalWidths = (names: readonly string[], widths: readonly number[]): OptionError =>
  new OptionError(
    `DLMG compares features with each other, but they are not equally wide: ${names.map((m, i) => `${m} ${widths[i]}`).join(', ')}. Give \`width\`, to which a linear layer for each modality then takes them, or set \`matching\` to "divergence", which compares predictions.`,
    { option: 'matching', value: 'contrastive', accepted: 'equal widths' },
  );

import { checkKeys, OptionError, perModality, type Fusion, type PerModality } from '@g2d/core';
import { lateFusion } from '@g2d/fusion';
import * as tf from '@tensorflow/tfjs-core';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { symbolicByEntropy, symbolicFixed } from './symbolic-shares.js';

/**
 * How the logits of the modalities are weighted. `'entropy'`: each sample by how sure each modality is, softmax over m of −H_m.
 * `'batch-entropy'`: as the released code, one weight for the whole batch, from probabilities over the batch axis, so results
 * depend on the batch. Or fixed weights, whose shares of their sum count.
 */
export type SharedHeadWeights<M extends string> = 'entropy' | 'batch-entropy' | PerModality<M, number>;

/** Settings of `sharedHeadFusion`. */
export interface SharedHeadOptions<M extends string> {
  readonly modalities: readonly M[];
  /** Width of every encoder's features. */
  readonly width: number;
  readonly classes: number;
  readonly seed: number;
  /**
   * Default `'entropy'`. A regression needs fixed weights; the released code has 0.55 and 0.45, or 0.35, 0.25 and 0.4, in the order
   * audio, visual, text.
   */
  readonly weights?: SharedHeadWeights<M>;
}

/**
 * One linear head for all modalities, as MLA has it.
 *
 * u_m = W f_m + b,  z = Σ_m w_m u_m
 *
 * The head is `head/shared`, a shared layer. With presence masks a missing modality has weight 0 in its samples, but not with
 * `'batch-entropy'`, which knows no samples. `toLayersModel` writes everything but `'batch-entropy'`.
 *
 * @throws {OptionError} If a fixed weight is missing or negative, all are 0, or there is one class only and the weights are not fixed: a
 * single number has no entropy.
 * @example
 * sharedHeadFusion({ modalities: ['audio', 'video'], width: 512, classes: 6, seed: 0 });
 * @see Zhang et al., MLA (CVPR 2024), Eq. 8 to 10; released code, `main.py`
 */
export function sharedHeadFusion<const M extends string>(options: SharedHeadOptions<M>): Fusion<M> {
  const {
    modalities,
    width,
    classes,
    seed,
    weights: given = 'entropy',
  } = checkKeys(
    options,
    { modalities: true, width: true, classes: true, seed: true, weights: true },
    'sharedHeadFusion',
  );
  const head = lateFusion({ widths: { shared: width }, classes, seed });
  const { layer } = head.layers[0] as (typeof head.layers)[number];
  const weights = checkedWeights(given, modalities, classes);
  return {
    modalities,
    widths: perModality(modalities, () => width),
    layers: [{ layer, modality: undefined }],
    apply: (encoded, { training, present }) =>
      tf.tidy(() => {
        const features = perModality(modalities, (modality) =>
          presentRows(encoded[modality], present?.[modality]),
        );
        const unimodalLogits = perModality(
          modalities,
          (modality) => head.apply({ shared: features[modality] }, { training }).logits,
        );
        const all = modalities.map((modality) => unimodalLogits[modality]);
        const columns = weightColumns(modalities, unimodalLogits, weights);
        const masked = modalities.map((modality, i) => {
          const mask = present?.[modality];
          const column = columns[i] as tf.Tensor;
          return mask && weights !== 'batch-entropy' ? tf.mul(column, tf.reshape(mask, [-1, 1])) : column;
        });
        const total = present && weights !== 'batch-entropy' ? tf.maximum(tf.addN(masked), 1e-12) : undefined;
        const sum = tf.addN(all.map((logits, i) => tf.mul(logits, masked[i] as tf.Tensor))) as tf.Tensor2D;
        const logits = total ? tf.div<tf.Tensor2D>(sum, total) : sum;
        // What the modalities weigh, for whoever compares it.
        const shares = perModality(modalities, (m) => columns[modalities.indexOf(m)] as tf.Tensor);
        return { features, logits, unimodalLogits, shares };
      }),
    symbolic: (features) => {
      if (weights === 'batch-entropy') {
        throw new OptionError(
          "Weights of a whole batch ('batch-entropy') have no export: a model of standard layers sees samples. Build the fusion with 'entropy' or fixed weights; the head's weights are the same.",
          { option: 'weights', value: weights, accepted: "'entropy' or fixed weights" },
        );
      }
      const unimodalLogits = perModality(
        modalities,
        (modality) => layer.apply(features[modality]) as SymbolicTensor,
      );
      const logits =
        weights === 'entropy'
          ? symbolicByEntropy(unimodalLogits, classes)
          : symbolicFixed(unimodalLogits, weights);
      return { logits, unimodalLogits };
    },
  };
}

/** The weights, fixed ones divided by their sum. */
function checkedWeights<M extends string>(
  weights: SharedHeadWeights<M>,
  modalities: readonly M[],
  classes: number,
): SharedHeadWeights<M> {
  const names = modalities.join(', ');
  if (typeof weights !== 'object') {
    if (weights !== 'entropy' && weights !== 'batch-entropy') {
      throw new OptionError(
        `\`weights\` is "${String(weights)}"; it must be 'entropy', 'batch-entropy' or a number for each of ${names}.`,
        { option: 'weights', value: weights, accepted: `entropy, batch-entropy, numbers for ${names}` },
      );
    }
    if (classes > 1) return weights;
    throw new OptionError(
      `A single output has no entropy to weigh the modalities by. Give fixed \`weights\`, a number for each of ${names}.`,
      { option: 'weights', value: weights, accepted: `numbers for ${names}` },
    );
  }
  const missing = modalities.find((modality) => weights[modality] === undefined);
  if (missing !== undefined) {
    throw new OptionError(`\`weights\` says nothing about ${missing}. Give one number for each modality.`, {
      option: 'weights',
      value: weights,
      accepted: `numbers for ${names}`,
    });
  }
  const wrong = modalities.find(
    (modality) => !(Number.isFinite(weights[modality]) && weights[modality] >= 0),
  );
  const total = modalities.reduce((sum, modality) => sum + weights[modality], 0);
  if (wrong !== undefined || total === 0) {
    throw new OptionError(
      `\`weights\` are ${modalities.map((modality) => `${modality} ${weights[modality]}`).join(', ')}; expected finite numbers of at least 0, not all 0.`,
      { option: 'weights', value: weights, accepted: 'finite numbers ≥ 0' },
    );
  }
  return perModality(modalities, (modality) => weights[modality] / total);
}

const presentRows = (x: tf.Tensor2D, mask: tf.Tensor1D | undefined): tf.Tensor2D =>
  mask ? tf.where(tf.greater(tf.reshape(mask, [-1, 1]), 0), x, tf.zerosLike(x)) : x;

/** w_m, `[B, 1]`, or `[1, 1]` for all samples of a batch. */
function weightColumns<M extends string>(
  modalities: readonly M[],
  logits: PerModality<M, tf.Tensor2D>,
  weights: SharedHeadWeights<M>,
): tf.Tensor[] {
  if (typeof weights === 'object') {
    return modalities.map((modality) => tf.mul(tf.ones([logits[modality].shape[0], 1]), weights[modality]));
  }
  const axis = weights === 'entropy' ? 1 : 0;
  const entropies = modalities.map((modality) => {
    const log = tf.logSoftmax(axis === 1 ? logits[modality] : tf.transpose(logits[modality]));
    const terms = tf.mul(tf.exp(log), log);
    return axis === 1 ? tf.neg(tf.sum(terms, 1, true)) : tf.reshape(tf.neg(tf.sum(terms)), [1, 1]);
  });
  const shares = tf.softmax(tf.neg(tf.concat(entropies, 1)));
  // The gradient of one piece is none in TensorFlow.js.
  return modalities.length > 1 ? tf.split(shares, modalities.length, 1) : [shares];
}

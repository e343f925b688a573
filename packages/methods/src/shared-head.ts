import { checkKeys, OptionError, perModality, type Fusion } from '@g2d/core';
import { lateFusion } from '@g2d/fusion';
import * as tf from '@tensorflow/tfjs-core';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { checkedWeights, weightColumns, type SharedHeadWeights } from './shared-head-weights.js';
import { symbolicByEntropy, symbolicFixed } from './symbolic-shares.js';
import { presentRows } from './present-rows.js';

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

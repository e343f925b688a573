import { lateFusion, type Fusion } from '@g2d/fusion';
import { OptionError, perModality, type PerModality } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';

/** Settings of `sharedHeadFusion`. */
export interface SharedHeadOptions<M extends string> {
  readonly modalities: readonly M[];
  /** Width of every encoder's features. */
  readonly width: number;
  readonly classes: number;
  readonly seed: number;
  /**
   * How the logits are weighted. `'entropy'` (default): each sample by how sure each modality is, softmax over m of −H_m.
   * `'batch-entropy'`: as the released code, one weight for the whole batch, from probabilities over the batch axis, so results
   * depend on the batch. Or fixed weights, which a regression needs; the released code has 0.55 and 0.45, or 0.35, 0.25 and 0.4.
   */
  readonly weights?: 'entropy' | 'batch-entropy' | PerModality<M, number>;
}

/**
 * One linear head for all modalities, as MLA has it.
 *
 * u_m = W f_m + b,  z = Σ_m w_m u_m
 *
 * The head is `head/shared`, a shared layer. With presence masks a missing modality has weight 0 in its samples, but not with
 * `'batch-entropy'`, which knows no samples.
 *
 * @throws {OptionError} If a fixed weight is missing.
 * @example
 * sharedHeadFusion({ modalities: ['audio', 'video'], width: 512, classes: 6, seed: 0 });
 * @see Zhang et al., MLA (CVPR 2024), Eq. 8 to 10; released code, `main.py`
 */
export function sharedHeadFusion<const M extends string>({
  modalities,
  width,
  classes,
  seed,
  weights = 'entropy',
}: SharedHeadOptions<M>): Fusion<M> {
  const head = lateFusion({ widths: { shared: width }, classes, seed });
  const { layer } = head.layers[0] as (typeof head.layers)[number];
  if (typeof weights === 'object') {
    const missing = modalities.find((modality) => !Number.isFinite(weights[modality]));
    if (missing !== undefined) {
      throw new OptionError(`\`weights\` says nothing about ${missing}. Give one number for each modality.`, {
        option: 'weights',
        value: weights,
        accepted: `numbers for ${modalities.join(', ')}`,
      });
    }
  }
  return {
    modalities,
    widths: perModality(modalities, () => width),
    layers: [{ layer, modality: undefined }],
    apply: (given, present) =>
      tf.tidy(() => {
        const features = perModality(modalities, (modality) =>
          presentRows(given[modality], present?.[modality]),
        );
        const unimodalLogits = perModality(
          modalities,
          (modality) => head.apply({ shared: features[modality] }).logits,
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
        return { features, logits: total ? tf.div<tf.Tensor2D>(sum, total) : sum, unimodalLogits };
      }),
    symbolic: () => {
      throw new OptionError(
        'A model with a shared head has no export: its entropy weights are not a standard layer. Export the encoders and the head apart.',
        { option: 'fusion', value: 'sharedHeadFusion', accepted: 'a fusion of standard layers' },
      );
    },
  };
}

const presentRows = (x: tf.Tensor2D, mask: tf.Tensor1D | undefined): tf.Tensor2D =>
  mask ? tf.where(tf.greater(tf.reshape(mask, [-1, 1]), 0), x, tf.zerosLike(x)) : x;

/** w_m, `[B, 1]` or a number for all samples. */
function weightColumns<M extends string>(
  modalities: readonly M[],
  logits: PerModality<M, tf.Tensor2D>,
  weights: NonNullable<SharedHeadOptions<M>['weights']>,
): tf.Tensor[] {
  if (typeof weights === 'object') return modalities.map((modality) => tf.scalar(weights[modality]));
  const axis = weights === 'entropy' ? 1 : 0;
  const entropies = modalities.map((modality) => {
    const log = tf.logSoftmax(axis === 1 ? logits[modality] : tf.transpose(logits[modality]));
    const terms = tf.mul(tf.exp(log), log);
    return axis === 1 ? tf.neg(tf.sum(terms, 1, true)) : tf.reshape(tf.neg(tf.sum(terms)), [1, 1]);
  });
  const shares = tf.softmax(tf.neg(tf.concat(entropies, 1)));
  return tf.split(shares, modalities.length, 1);
}

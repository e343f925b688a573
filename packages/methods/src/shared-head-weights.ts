import { OptionError, perModality, type PerModality } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';

/**
 * How the logits of the modalities are weighted. `'entropy'`: each sample by how sure each modality is, softmax over m of −H_m.
 * `'batch-entropy'`: as the released code, one weight for the whole batch, from probabilities over the batch axis, so results
 * depend on the batch. Or fixed weights, whose shares of their sum count.
 */
export type SharedHeadWeights<M extends string> = 'entropy' | 'batch-entropy' | PerModality<M, number>;

/** The weights, fixed ones divided by their sum. */
export function checkedWeights<M extends string>(
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

/** w_m, `[B, 1]`, or `[1, 1]` for all samples of a batch. */
export function weightColumns<M extends string>(
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

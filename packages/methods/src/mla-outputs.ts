import { perModality, type Step } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';

/** What the log's scores are taken from: each modality's logits before its step, and their mean over the modalities that a sample has. */
export function trainingOutputs<M extends string>(
  { batch: { ids, present } }: Step<M>,
  order: readonly M[],
  found: Readonly<Partial<Record<M, tf.Tensor2D>>>,
) {
  const some = order.map((modality) => found[modality]).find((logits) => logits) as tf.Tensor2D;
  const unimodalLogits = perModality(order, (modality) => found[modality] ?? tf.zerosLike(some));
  const columns = order.map((modality) => {
    const mask = present?.[modality];
    return mask ? tf.reshape(mask, [-1, 1]) : tf.ones([ids.length, 1]);
  });
  const sum = tf.addN(order.map((modality, i) => tf.mul(unimodalLogits[modality], columns[i] as tf.Tensor)));
  return { logits: tf.div<tf.Tensor2D>(sum, tf.maximum(tf.addN(columns), 1)), unimodalLogits };
}

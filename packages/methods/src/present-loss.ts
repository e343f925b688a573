import { studentLoss } from '@g2d/distill';
import type { Step } from '@g2d/trainer';
import * as tf from '@tensorflow/tfjs-core';

/** Places of the samples of a batch that have a modality; `undefined` if all have it. */
export function presentSamples<M extends string>(
  { present }: Step<M>['batch'],
  modality: M,
): readonly number[] | undefined {
  const mask = present?.[modality]?.dataSync<'float32'>();
  if (!mask || mask.every((value) => value > 0)) return undefined;
  return [...mask.keys()].filter((i) => (mask[i] as number) > 0);
}

/**
 * The task's loss of a modality's own logits over the samples that have it; 0, with gradients 0, if none has.
 *
 * @param logits u_m `[B, C]`, finite also in the rows of the others.
 */
export function presentLoss<M extends string>(
  { batch, task }: Pick<Step<M>, 'batch' | 'task'>,
  modality: M,
  logits: tf.Tensor2D,
): tf.Scalar {
  const samples = presentSamples(batch, modality);
  if (!samples) return studentLoss(batch.labels, logits, { task });
  return tf.tidy(() => {
    if (samples.length === 0) return tf.mul(tf.sum(logits), 0) as tf.Scalar;
    const rows = tf.tensor1d([...samples], 'int32');
    return studentLoss(tf.gather(batch.labels, rows), tf.gather(logits, rows), { task });
  });
}

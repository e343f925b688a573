import * as tf from '@tensorflow/tfjs-core';
import type { Outputs } from '@g2d/fusion';
import { perModality } from '@g2d/tensor-ops';

/**
 * The most probable class of every sample, by `fused` and by each modality's own logits. With one modality `fused`
 * is the same and left out.
 *
 * @returns int32 `[B]` for each.
 */
export function predictedClasses<M extends string>({
  logits,
  unimodalLogits,
}: Outputs<M>): Record<string, Int32Array> {
  const modalities = Object.keys(unimodalLogits) as M[];
  const classes = (scores: tf.Tensor2D): Int32Array =>
    tf.tidy(() => tf.argMax(scores, 1).dataSync() as Int32Array);
  return {
    ...(modalities.length > 1 && { fused: classes(logits) }),
    ...perModality(modalities, (modality) => classes(unimodalLogits[modality])),
  };
}

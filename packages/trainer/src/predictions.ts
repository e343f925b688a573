import * as tf from '@tensorflow/tfjs-core';
import { perModality, type Logits, type RegressionOutput, type Task, type Training } from '@g2d/core';
import { regressionValue } from '@g2d/tensor-ops';

/**
 * What a model predicts for every sample, by `fused` and by each modality's own logits. With one modality `fused` is the same and left out. A step that has none of single
 * modalities is scored by `fused` alone.
 *
 * @returns For each the most probable class int32 `[B]`; the values of a regression `[B]`; of a multi-label task the logits `[B, C]`. Call it inside a `tf.tidy`.
 */
export function predictions<M extends string>(
  { task, output }: Pick<Training<M>, 'task' | 'output'>,
  { logits, unimodalLogits }: Logits<M>,
): Record<string, tf.Tensor> {
  const modalities = Object.keys(unimodalLogits) as M[];
  const predict = PREDICTIONS[task];
  return {
    ...(modalities.length !== 1 && { fused: predict(logits, output) }),
    ...perModality(modalities, (modality) => predict(unimodalLogits[modality], output)),
  };
}

const PREDICTIONS: Readonly<Record<Task, (logits: tf.Tensor2D, output: RegressionOutput) => tf.Tensor>> = {
  classification: (logits) => tf.argMax(logits, 1),
  regression: (logits, output) => regressionValue(logits, output),
  'multi-label': (logits) => logits,
};

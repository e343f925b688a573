import * as tf from '@tensorflow/tfjs-core';
import { perModality, type Logits, type RegressionOutput } from '@g2d/core';
import { predictedSet, regressionValue } from '@g2d/tensor-ops';

/**
 * The most probable class of every sample, by `fused` and by each modality's own logits. With one modality `fused`
 * is the same and left out. A step that has none of single modalities is scored by `fused` alone.
 *
 * @returns int32 `[B]` for each.
 */
export const predictedClasses = <M extends string>(outputs: Logits<M>): Record<string, Int32Array> =>
  fromLogits(outputs, (logits) => tf.argMax(logits, 1).dataSync<'int32'>());

/**
 * The values of a regression, in the same way.
 *
 * @returns float32 `[B]` for each.
 */
export const predictedValues = <M extends string>(
  outputs: Logits<M>,
  output: RegressionOutput,
): Record<string, Float32Array> =>
  fromLogits(outputs, (logits) => regressionValue(logits, output).dataSync<'float32'>());

/**
 * The classes of a multi-label task whose probability is above 0.5, in the same way.
 *
 * @returns A list of class ids for each sample.
 */
export const predictedSets = <M extends string>(outputs: Logits<M>): Record<string, number[][]> =>
  fromLogits(outputs, (logits) => {
    const [batch, classes] = logits.shape;
    const flat = logits.dataSync<'float32'>();
    return Array.from({ length: batch }, (_, i) =>
      predictedSet(flat.subarray(i * classes, (i + 1) * classes)),
    );
  });

function fromLogits<M extends string, T>(
  { logits, unimodalLogits }: Logits<M>,
  predict: (logits: tf.Tensor2D) => T,
): Record<string, T> {
  const modalities = Object.keys(unimodalLogits) as M[];
  const predictOf = (scores: tf.Tensor2D): T => {
    // Not through the result of `tidy`, which would look at every number of the array.
    let values: T | undefined;
    tf.tidy(() => {
      values = predict(scores);
    });
    return values as T;
  };
  return {
    ...(modalities.length !== 1 && { fused: predictOf(logits) }),
    ...perModality(modalities, (modality) => predictOf(unimodalLogits[modality])),
  };
}

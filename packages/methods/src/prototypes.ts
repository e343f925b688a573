import { encodedOf, perModality, type PerModality, type Training } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';

/** Sums of the features of each class, and how many samples they are of. */
interface ClassSums {
  /** `[C · D]`. */
  readonly sums: Float64Array;
  /** `[C]`. */
  readonly counts: Float64Array;
  readonly width: number;
}

/**
 * The features of each class over a share of an epoch's batches, in inference mode and of all processes.
 *
 * @param share Of the batches of an epoch; one at least.
 */
export async function classPrototypes<M extends string>(
  { model, batches, batchesPerEpoch = 1, allReduce }: Training<M>,
  { epoch, share }: { readonly epoch: number; readonly share: number },
): Promise<Record<M, ClassSums>> {
  const found: Partial<Record<M, ClassSums>> = {};
  // 0.1 · 30 is 3.0000000000000004, but 0.7 · 10 is 6.999…: what is that close counts as the whole number.
  const wanted = Math.max(1, Math.floor(share * batchesPerEpoch + 1e-9));
  let seen = 0;
  for await (const batch of batches(epoch)) {
    tf.tidy(() => {
      const outputs = model.forward(batch, { training: false });
      const [, classes] = outputs.logits.shape;
      const labels = batch.labels.dataSync();
      for (const m of model.modalities) {
        const features = encodedOf(outputs)[m];
        const [, width] = features.shape;
        const into = (found[m] ??= {
          sums: new Float64Array(classes * width),
          counts: new Float64Array(classes),
          width,
        });
        const present = batch.present?.[m]?.dataSync();
        const values = features.dataSync();
        labels.forEach((label, i) => {
          if (present && !(present[i]! > 0)) return;
          into.counts[label]! += 1;
          for (let d = 0; d < width; d++) into.sums[label * width + d]! += values[i * width + d]!;
        });
      }
    });
    tf.dispose(batch);
    if (++seen === wanted) break;
  }
  const sums = found as Record<M, ClassSums>;
  if (allReduce.processes > 1)
    for (const m of model.modalities) {
      allReduce.sum(sums[m].sums);
      allReduce.sum(sums[m].counts);
    }
  return sums;
}

/**
 * c ← ε c + (1 − ε) mean. A class without a sample keeps its prototype, and one that never had any has the mean of all features.
 *
 * @param before `undefined` at the beginning.
 * @returns `[C, D]` of each modality; dispose them.
 */
export function updatedPrototypes<M extends string>(
  before: PerModality<M, tf.Tensor2D> | undefined,
  found: Readonly<Record<M, ClassSums>>,
  momentum: number,
): Record<M, tf.Tensor2D> {
  return perModality(Object.keys(found) as M[], (m) => {
    const { sums, counts, width } = found[m];
    const old = before?.[m].dataSync();
    const samples = counts.reduce((sum, count) => sum + count, 0);
    const overall = (d: number): number =>
      samples === 0 ? 0 : counts.reduce((sum, _, j) => sum + sums[j * width + d]!, 0) / samples;
    const values = Float32Array.from(sums, (sum, i) => {
      const count = counts[Math.floor(i / width)]!;
      if (count === 0) return old?.[i] ?? overall(i % width);
      return old ? momentum * old[i]! + ((1 - momentum) * sum) / count : sum / count;
    });
    return tf.tensor2d(values, [counts.length, width]);
  });
}

/** q[j] = −‖f − c_j‖ `[B, C]`. */
export const prototypeLogits = (features: tf.Tensor2D, prototypes: tf.Tensor2D): tf.Tensor2D =>
  tf.tidy(() => {
    // Not `squaredDifference`, whose gradient TensorFlow.js does not sum over repeated axes.
    const apart = tf.square(tf.sub(tf.expandDims(features, 1), tf.expandDims(prototypes, 0)));
    // The gradient of a root is infinite at 0.
    return tf.neg(tf.sqrt(tf.add<tf.Tensor2D>(tf.sum(apart, 2), 1e-12)));
  });

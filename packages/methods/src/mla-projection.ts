import type { Step } from '@g2d/core';
import { assertShape } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';

/**
 * MLA's projection matrix after one more batch, before it is normalized.
 *
 * q = P r,  P ← P − q qᵀ / (a + rᵀ q)
 *
 * @param projection P `[D, D]`.
 * @param mean r `[D]`: mean features of the batch.
 * @param options `strength`: a > 0. `reference`: `'paper'` as above, as the method that MLA takes it from has it: P forgets the direction r.
 * `'official'` as it stands in MLA's released code, P − q qᵀ ⊘ (a + q rᵀ): every entry is divided by one of its own.
 * @returns `[D, D]`; dispose it. The inputs are left alone.
 * @throws {ShapeError} If the shapes do not fit.
 * @example
 * updatedProjection(tf.eye(2), tf.tensor1d([1, 2]), { strength: 0.1, reference: 'paper' }).print(); // [[0.804, -0.392], [-0.392, 0.216]]
 * @see Zhang et al., MLA (CVPR 2024), Sec. 3; released code
 */
export function updatedProjection(
  projection: tf.Tensor2D,
  mean: tf.Tensor1D,
  { strength, reference }: { readonly strength: number; readonly reference: 'paper' | 'official' },
): tf.Tensor2D {
  const [width] = mean.shape;
  assertShape('projection', projection, [width, width], '[D, D] with D, the length of `mean`');
  return tf.tidy(() => {
    const row = tf.reshape(mean, [1, width]);
    const q = tf.matMul(projection, tf.reshape(mean, [width, 1]));
    const product = reference === 'paper' ? tf.matMul(row, q) : tf.matMul(q, row);
    return tf.sub<tf.Tensor2D>(projection, tf.div(tf.matMul(q, q, false, true), tf.add(product, strength)));
  });
}

/**
 * a of a batch: 0.1 at the beginning of every epoch, down to 0.01 at its end.
 *
 * a = 0.1^(1 + i / n)
 *
 * @param batchIndex i, counted from 0.
 * @param batchesPerEpoch n.
 */
export const projectionStrength = (batchIndex: number, batchesPerEpoch: number): number =>
  0.1 ** (1 + batchIndex / batchesPerEpoch);

/** P after the mean features r of one more step, over the samples of all processes that have the modality; the others' are 0. */
export function nextProjection<M extends string>(
  step: Step<M>,
  before: tf.Tensor2D,
  {
    features,
    m,
    reference,
  }: { readonly features: tf.Tensor2D; readonly m: M; readonly reference: 'paper' | 'official' },
): tf.Tensor2D {
  const sums = Float32Array.from(tf.sum(features, 0).dataSync());
  step.allReduce.sum(sums);
  const mean = tf.tensor1d(sums.map((sum) => sum / step.presentSamples[m]));
  const strength = projectionStrength(step.batchIndex, step.batchesPerEpoch as number);
  const next = updatedProjection(before, mean, { strength, reference });
  return tf.div(next, tf.norm(next));
}

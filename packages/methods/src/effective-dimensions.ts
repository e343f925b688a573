import { perModality, type PerModality, type Step, type Training } from '@g2d/core';
import { stopGradient } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { presentMean } from './present-mean.js';

/**
 * How often each dimension of a modality's features tells the class of a training sample: the one whose mean is nearest in this dimension alone.
 * In inference mode, over every sample that has the modality, twice: for the means, then for the share of right samples.
 *
 * @param reference `'official'`: a class without samples is nearest to everything, so that nothing is ever right.
 */
export async function effectiveDimensions<M extends string>(
  { model, everySample }: Training<M>,
  reference: 'paper' | 'official',
): Promise<Record<M, number[]>> {
  /** Calls `use` for each sample that has a modality. */
  const visit = async (
    use: (m: M, features: Float32Array, label: number, classes: number) => void,
  ): Promise<void> => {
    for await (const batch of everySample()) {
      tf.tidy(() => {
        const { features, unimodalLogits } = model.forward(batch, { training: false });
        const labels = batch.labels.dataSync();
        for (const m of model.modalities) {
          const present = batch.present?.[m]?.dataSync();
          const [, width] = features[m].shape;
          const values = features[m].dataSync() as Float32Array;
          labels.forEach((label, i) => {
            if (present && !(present[i]! > 0)) return;
            use(m, values.subarray(i * width, (i + 1) * width), label, unimodalLogits[m].shape[1]);
          });
        }
      });
      tf.dispose(batch);
    }
  };
  const sums = perModality(model.modalities, (): Float64Array[] => []);
  const counts = perModality(model.modalities, (): number[] => []);
  await visit((m, features, label, classes) => {
    for (let c = 0; c < classes; c++) {
      sums[m][c] ??= new Float64Array(features.length);
      counts[m][c] ??= 0;
    }
    counts[m][label]! += 1;
    features.forEach((value, d) => (sums[m][label]![d]! += value));
  });
  const right = perModality(model.modalities, (m) =>
    Array.from({ length: sums[m][0]?.length ?? 0 }, () => 0),
  );
  const total = perModality(model.modalities, (m) => counts[m].reduce((sum, count) => sum + count, 0));
  const impossible = (m: M): boolean => reference === 'official' && counts[m].includes(0);
  await visit((m, features, label) => {
    if (impossible(m)) return;
    features.forEach((value, d) => {
      let [nearest, least] = [-1, Infinity];
      counts[m].forEach((count, c) => {
        const distance = Math.abs(value - sums[m][c]![d]! / count);
        if (count > 0 && distance < least) [nearest, least] = [c, distance];
      });
      if (nearest === label) right[m][d]! += 1;
    });
  });
  return perModality(model.modalities, (m) =>
    right[m].map((count) => (total[m] === 0 ? 0 : count / total[m])),
  );
}

/** Dimensions in which one modality is better than in its mean one, and the other is not. */
export function ownDimensions(accuracy: readonly number[], other: readonly number[]): number[] {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [own, theirs] = [mean(accuracy), mean(other)];
  return [...accuracy.keys()].filter((d) => accuracy[d]! > own && !(other[d]! > theirs));
}

/** Σ_{p ≠ q} mean_i −log softmax_j(⟨f_q,i, sg(f_p,j)⟩ / τ)[i] over what p has and q lacks, of the samples that have both. */
export function interactionLoss<M extends string>(
  features: PerModality<M, tf.Tensor2D>,
  step: Step<M>,
  {
    accuracy,
    temperature,
    reference,
  }: {
    readonly accuracy: PerModality<M, readonly number[]>;
    readonly temperature: number;
    readonly reference: 'paper' | 'official';
  },
): tf.Scalar | undefined {
  const { modalities } = step.model;
  const { present } = step.batch;
  const terms = modalities.flatMap((p) =>
    modalities
      .filter((q) => q !== p)
      .flatMap((q) => {
        const dimensions = ownDimensions(accuracy[p], accuracy[q]);
        const samples = features[q].shape[0];
        const all = step.allRows(features[p]);
        // The softmax of B zeros.
        if (dimensions.length === 0)
          return reference === 'official' ? [tf.scalar(Math.log(all.shape[0]))] : [];
        const at = tf.tensor1d(dimensions, 'int32');
        const [learns, teaches] = [tf.gather(features[q], at, 1), stopGradient(tf.gather(all, at, 1))];
        const products = tf.div(tf.matMul(learns, teaches, false, true), temperature) as tf.Tensor2D;
        const masks = [p, q].flatMap((m) => (present?.[m] ? [step.allRows(present[m])] : []));
        const others =
          masks.length === 0
            ? products
            : masks.reduce((sum, mask) => tf.add(sum, tf.mul(tf.sub(1, mask), -1e9)), products);
        const before = all.shape[0] === samples ? 0 : (step.allReduce.rank ?? 0) * samples;
        const places = tf.slice(tf.eye(all.shape[0]), before, samples);
        const own = tf.sum(tf.mul(tf.logSoftmax(others), places), 1) as tf.Tensor1D;
        return [tf.neg(presentMean(own, step, [p, q]))];
      }),
  );
  return terms.length > 0 ? (tf.addN(terms) as tf.Scalar) : undefined;
}

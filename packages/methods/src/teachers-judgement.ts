import {
  OptionError,
  perModality,
  type Labels,
  type PerModality,
  type RegressionOutput,
  type Step,
  type Training,
} from '@g2d/core';
import { labelSetProbability, regressionValue, trueClassProbability } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';

/** ρ of each sample, `[B]`. */
function confidenceOf(
  labels: Labels,
  logits: tf.Tensor2D,
  { variance, output }: { readonly variance: number | null; readonly output: RegressionOutput },
): tf.Tensor1D {
  if (variance === null) {
    return labels.rank === 2
      ? labelSetProbability(labels as tf.Tensor2D, logits)
      : trueClassProbability(labels as tf.Tensor1D, logits);
  }
  return tf.tidy(() => {
    const error = tf.squaredDifference(regressionValue(tf.reshape(logits, [-1]), output), labels);
    return tf.exp(tf.div<tf.Tensor1D>(error, -variance));
  });
}

/** ρ of each modality on a batch (Eq. 5); NaN for one that no sample has. */
export function meanConfidence<M extends string>(
  step: Step<M>,
  variance: number | null,
): PerModality<M, number> {
  const { model, batch, output, teacherOutputs } = step;
  const rho = step.meanByModality(
    perModality(model.modalities, (m) =>
      confidenceOf(batch.labels, teacherOutputs[m].logits, { variance, output }),
    ),
  );
  // Rounding must not carry a mean of ones beyond 1.
  return perModality(model.modalities, (m) => Math.min(rho[m], 1));
}

/** ρ of each modality on the training split. */
export async function datasetConfidence<M extends string>(
  { model: { modalities }, output, everySample, teachers }: Training<M>,
  variance: number | null,
): Promise<Record<M, number>> {
  const sums = perModality(modalities, () => ({ rho: 0, samples: 0 }));
  for await (const batch of everySample()) {
    tf.tidy(() => {
      const outputs = teachers.outputs(batch);
      for (const m of modalities) {
        const mask = batch.present?.[m];
        const rho = confidenceOf(batch.labels, outputs[m].logits, { variance, output });
        // Chosen, not multiplied: what a teacher makes of an absent input may be NaN.
        const there = mask ? tf.where(tf.greater(mask, 0), rho, tf.zerosLike(rho)) : rho;
        sums[m].rho += tf.sum(there).dataSync()[0] as number;
        sums[m].samples += mask ? (tf.sum(mask).dataSync()[0] as number) : batch.ids.length;
      }
    });
    tf.dispose(batch);
    await tf.nextFrame();
  }
  const absent = modalities.find((m) => sums[m].samples === 0);
  if (absent === undefined) return perModality(modalities, (m) => Math.min(sums[m].rho / sums[m].samples, 1));
  throw new OptionError(`No training sample has ${absent}, so nothing ranks it. Give another \`ranking\`.`, {
    option: 'ranking',
    value: 'dataset',
    accepted: 'batch, epoch, { fixed }',
  });
}

/** Variance of the training split's targets. */
export async function varianceOf<M extends string>({ everySample }: Training<M>): Promise<number> {
  const targets: number[] = [];
  for await (const batch of everySample([])) {
    targets.push(...batch.labels.dataSync<'float32'>());
    tf.dispose(batch);
  }
  const mean = targets.reduce((sum, target) => sum + target, 0) / targets.length;
  return targets.reduce((sum, target) => sum + (target - mean) ** 2, 0) / targets.length;
}

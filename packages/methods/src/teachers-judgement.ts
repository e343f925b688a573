import { OptionError, perModality, type PerModality, type Step, type Training } from '@g2d/core';
import { sampleConfidence, totalOverPresent } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';

/** ρ of each modality on a batch (Eq. 5); NaN for one that no sample has. */
export function meanConfidence<M extends string>(
  step: Step<M>,
  variance: number | null,
): PerModality<M, number> {
  const { model, batch, output, teacherOutputs } = step;
  const rho = step.meanByModality(
    perModality(model.modalities, (m) =>
      sampleConfidence(batch.labels, teacherOutputs[m].logits, { variance, output }),
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
        const rho = sampleConfidence(batch.labels, outputs[m].logits, { variance, output });
        const total = totalOverPresent(rho, batch.present?.[m]);
        sums[m].rho += total.sum;
        sums[m].samples += total.samples;
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

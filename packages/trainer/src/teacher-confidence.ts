import * as tf from '@tensorflow/tfjs-core';
import {
  checkKeys,
  OptionError,
  perModality,
  type MultimodalDataset,
  type PerModality,
  type RegressionOutput,
  type Teachers,
} from '@g2d/core';
import { sampleConfidence, totalOverPresent, warnOfProbabilities } from '@g2d/tensor-ops';
import { readBatches } from './read-batches.js';

/**
 * Mean confidence of each teacher over a whole dataset, in inference mode and without augmentation: what a ranking of the
 * dataset, `ranking: { dataset }` in `modalityPrioritization`, is made from.
 *
 * @param dataset The training split. It may have more modalities than the teachers.
 * @param options `targetVariance`, `output`: for a regression, see `modalityPrioritization` and `train`. `batchSize`: default 250; it changes
 * speed and memory only.
 * @returns ρ of the task, as `modalityPrioritization` has it, in [0, 1] for each modality; NaN for one that no sample has.
 * @see G2D, Sec. 3.2, Eq. 5
 */
export async function teacherConfidence<A extends string, M extends A>(
  teachers: Pick<Teachers<M>, 'modalities' | 'outputs'>,
  dataset: MultimodalDataset<A>,
  options: {
    readonly targetVariance?: number;
    readonly output?: RegressionOutput;
    readonly batchSize?: number;
  } = {},
): Promise<PerModality<M, number>> {
  const {
    targetVariance,
    output = 'sigmoid',
    batchSize = 250,
  } = checkKeys(options, { targetVariance: true, output: true, batchSize: true }, 'teacherConfidence');
  if (dataset.task === 'regression' && !(targetVariance !== undefined && targetVariance > 0)) {
    const accepted = 'the variance of the training targets, a number above 0';
    throw new OptionError(`\`targetVariance\` is ${targetVariance}; a regression needs ${accepted}.`, {
      option: 'targetVariance',
      value: targetVariance,
      accepted,
    });
  }
  const { modalities } = teachers;
  const sums: Record<M, number> = perModality(modalities, () => 0);
  const samples: Record<M, number> = perModality(modalities, () => 0);
  for await (const batch of readBatches(dataset, { batchSize })) {
    tf.tidy(() => {
      const outputs = teachers.outputs(batch);
      for (const modality of modalities) {
        const { logits } = outputs[modality];
        if (dataset.task === 'classification') warnOfProbabilities('logits', logits);
        const variance = dataset.task === 'regression' ? (targetVariance as number) : null;
        const rho = sampleConfidence(batch.labels, logits, { variance, output });
        const total = totalOverPresent(rho, batch.present?.[modality]);
        sums[modality] += total.sum;
        samples[modality] += total.samples;
      }
    });
    tf.dispose(batch);
    await tf.nextFrame();
  }
  // Rounding must not carry a mean of ones beyond 1.
  return perModality(modalities, (modality) => Math.min(sums[modality] / samples[modality], 1));
}

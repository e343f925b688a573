import * as tf from '@tensorflow/tfjs-core';
import {
  checkKeys,
  perModality,
  type MultimodalDataset,
  type PerModality,
  type RegressionOutput,
  type Teachers,
} from '@g2d/core';
import { modalityConfidence, regressionConfidence } from '@g2d/smp';
import { readBatches } from './read-batches.js';

/**
 * Mean confidence of each teacher over a whole dataset, in inference mode and without augmentation: what a ranking of the
 * dataset, `ranking: { dataset }` in `modalityPrioritization`, is made from.
 *
 * @param dataset The training split. It may have more modalities than the teachers.
 * @param options `targetVariance`, `output`: for a regression, see `modalityPrioritization` and `train`. `batchSize`: default 250; it changes
 * speed and memory only.
 * @returns ρ in [0, 1] for each modality; NaN for one that no sample has.
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
  const { modalities } = teachers;
  const sums: Record<M, number> = perModality(modalities, () => 0);
  const samples: Record<M, number> = perModality(modalities, () => 0);
  for await (const batch of readBatches(dataset, { batchSize })) {
    tf.tidy(() => {
      const outputs = teachers.outputs(batch);
      for (const modality of modalities) {
        const present = batch.present?.[modality];
        const count = present ? (tf.sum(present).dataSync()[0] as number) : batch.ids.length;
        if (count === 0) continue;
        const { logits } = outputs[modality];
        const options = present ? { present } : {};
        const rho =
          dataset.task === 'regression'
            ? regressionConfidence(batch.labels, logits, {
                ...options,
                output,
                variance: targetVariance as number,
              })
            : modalityConfidence(batch.labels, logits, options);
        sums[modality] += count * (rho.dataSync()[0] as number);
        samples[modality] += count;
      }
    });
    tf.dispose(batch);
    await tf.nextFrame();
  }
  return perModality(modalities, (modality) => sums[modality] / samples[modality]);
}

import * as tf from '@tensorflow/tfjs-core';
import type { Batch, MultimodalDataset, Task, Teachers } from '@g2d/core';
import { modalityConfidence, regressionConfidence } from '@g2d/smp';
import { perModality, type PerModality } from '@g2d/core';
import { readBatches } from './read-batches.js';

interface ConfidenceOptions {
  readonly task: Task;
  /** Of the training part; needed for a regression. */
  readonly targetVariance?: number | undefined;
}

/** Eq. 5 for one teacher on one batch, over the samples that have the modality; one of them at least. */
export function batchConfidence<M extends string>(
  { labels, present }: Pick<Batch<M>, 'labels' | 'present'>,
  modality: M,
  logits: tf.Tensor2D,
  { task, targetVariance }: ConfidenceOptions,
): number {
  const mask = present?.[modality];
  const options = mask ? { present: mask } : {};
  let confidence = NaN;
  tf.tidy(() => {
    const rho =
      task === 'regression'
        ? regressionConfidence(labels, logits, { ...options, variance: targetVariance as number })
        : modalityConfidence(labels, logits, options);
    confidence = rho.dataSync()[0] as number;
  });
  return confidence;
}

/**
 * Mean confidence of each teacher over a whole dataset, in inference mode and without augmentation: what a ranking of the
 * dataset, `ranking: { dataset }` in `modalityPrioritization`, is made from.
 *
 * @param dataset The training part. It may have more modalities than the teachers.
 * @param options `targetVariance`: for a regression, see `modalityPrioritization`. `batchSize`: default 250; it changes
 * speed and memory only.
 * @returns ρ in [0, 1] for each modality; NaN for one that no sample has.
 * @see G2D, Sec. 3.2, Eq. 5
 */
export async function teacherConfidence<A extends string, M extends A>(
  teachers: Pick<Teachers<M>, 'modalities' | 'outputs'>,
  dataset: MultimodalDataset<A>,
  { targetVariance, batchSize = 250 }: { readonly targetVariance?: number; readonly batchSize?: number } = {},
): Promise<PerModality<M, number>> {
  const { modalities } = teachers;
  const sums: Record<M, number> = perModality(modalities, () => 0);
  const samples: Record<M, number> = perModality(modalities, () => 0);
  for await (const batch of readBatches(dataset, { batchSize })) {
    tf.tidy(() => {
      const outputs = teachers.outputs(batch);
      for (const modality of modalities) {
        const mask = batch.present?.[modality];
        const count = mask ? (tf.sum(mask).dataSync()[0] as number) : batch.ids.length;
        if (count === 0) continue;
        const { logits } = outputs[modality];
        const options = { task: dataset.task, targetVariance };
        sums[modality] += count * batchConfidence(batch, modality as A, logits, options);
        samples[modality] += count;
      }
    });
    tf.dispose(batch);
    await tf.nextFrame();
  }
  return perModality(modalities, (modality) => sums[modality] / samples[modality]);
}

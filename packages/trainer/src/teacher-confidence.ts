import * as tf from '@tensorflow/tfjs-core';
import {
  checkKeys,
  OptionError,
  perModality,
  type Labels,
  type MultimodalDataset,
  type PerModality,
  type RegressionOutput,
  type Task,
  type Teachers,
} from '@g2d/core';
import { modalityConfidence } from '@g2d/smp';
import { labelSetProbability, regressionValue } from '@g2d/tensor-ops';
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
        const present = batch.present?.[modality];
        const count = present ? (tf.sum(present).dataSync()[0] as number) : batch.ids.length;
        if (count === 0) continue;
        const { logits } = outputs[modality];
        const rho = confidenceOf(dataset.task, batch.labels, logits, { present, targetVariance, output });
        sums[modality] += count * (rho.dataSync()[0] as number);
        samples[modality] += count;
      }
    });
    tf.dispose(batch);
    await tf.nextFrame();
  }
  return perModality(modalities, (modality) => sums[modality] / samples[modality]);
}

/** ρ of a batch, over the samples that have the modality. */
function confidenceOf(
  task: Task,
  labels: Labels,
  logits: tf.Tensor2D,
  {
    present,
    targetVariance,
    output,
  }: {
    readonly present: tf.Tensor1D | undefined;
    readonly targetVariance: number | undefined;
    readonly output: RegressionOutput | undefined;
  },
): tf.Scalar {
  if (task === 'classification')
    return modalityConfidence(labels as tf.Tensor1D, logits, present ? { present } : {});
  const rho =
    task === 'regression'
      ? tf.exp(tf.div(squaredError(labels, logits, output), -(targetVariance as number)))
      : labelSetProbability(labels as tf.Tensor2D, logits);
  // Chosen, not multiplied: what a teacher makes of an absent input may be NaN.
  const there = present ? tf.where(tf.greater(present, 0), rho, tf.zerosLike(rho)) : rho;
  return tf.div(tf.sum(there), present ? tf.sum(present) : labels.shape[0]);
}

const squaredError = (labels: Labels, logits: tf.Tensor2D, output: RegressionOutput | undefined): tf.Tensor =>
  tf.squaredDifference(regressionValue(tf.reshape(logits, [-1]), output), labels);

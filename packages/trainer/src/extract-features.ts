import * as tf from '@tensorflow/tfjs-core';
import { checkKeys, perModality, type Model, type MultimodalDataset } from '@g2d/core';
import type { EvaluateOptions } from './evaluate.js';
import { readBatches } from './read-batches.js';

/**
 * A model's features f_m of every sample of a dataset, in its order, without augmentation and in inference mode: what
 * `featureAlignment` and `featureGap` of `@g2d/analysis` compare.
 *
 * @param model A student, or a teacher, which reads its own modality alone.
 * @param options As for `evaluate`: how the samples are read; it changes speed and memory only.
 * @returns For each modality of the model one row `[D_m]` for each sample that has it. N · D_m numbers are held in memory.
 * @throws {UnknownModalityError} If the dataset lacks a modality of the model.
 * @example
 * const { audio } = await extractFeatures(student, test, { batchSize: 64 });
 * audio.length; // as many as `test.size`
 * @see G2D, Fig. 4 and 5
 */
export async function extractFeatures<A extends string, M extends A>(
  model: Model<M>,
  dataset: MultimodalDataset<A>,
  options: Omit<EvaluateOptions, 'allReduce'> = {},
): Promise<Record<M, Float32Array[]>> {
  const { batchSize = 250, workers = 0 } = checkKeys(
    options,
    { batchSize: true, workers: true, onError: true },
    'extractFeatures',
  );
  const { modalities } = model;
  const rows = perModality(modalities, (): Float32Array[] => []);
  for await (const batch of readBatches<A, M>(dataset, { batchSize, workers, modalities })) {
    try {
      tf.tidy(() => {
        const { features } = model.forward(batch, { training: false });
        for (const modality of modalities)
          rows[modality].push(...presentRows(features[modality], batch.present?.[modality]));
      });
    } finally {
      tf.dispose(batch);
    }
    await tf.nextFrame();
  }
  return rows;
}

/** The rows of a batch's features `[B, D]` whose samples have the modality. */
function presentRows(features: tf.Tensor2D, present: tf.Tensor1D | undefined): Float32Array[] {
  const [samples, width] = features.shape;
  const values = features.dataSync<'float32'>();
  const mask = present?.dataSync<'float32'>();
  return Array.from({ length: samples }, (_, i) => values.slice(i * width, (i + 1) * width)).filter(
    (_, i) => mask?.[i] !== 0,
  );
}

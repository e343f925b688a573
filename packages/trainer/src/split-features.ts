import * as tf from '@tensorflow/tfjs-core';
import { encodedOf, perModality, type Batch, type Model, type SplitFeatures } from '@g2d/core';

/** The encoders' features of all samples of some batches, in inference mode, with their labels. Disposes the batches. */
export async function splitFeatures<M extends string>(
  model: Model<M>,
  batches: AsyncIterable<Batch<M>>,
): Promise<Record<M, SplitFeatures>> {
  const { modalities } = model;
  const found = perModality(modalities, () => ({ rows: [] as Float32Array[], labels: [] as number[] }));
  for await (const batch of batches) {
    try {
      tf.tidy(() => {
        const features = encodedOf(model.forward(batch, { training: false }));
        const labels = batch.labels.dataSync<'float32'>();
        for (const modality of modalities) {
          const [, width] = features[modality].shape;
          const values = features[modality].dataSync<'float32'>();
          const mask = batch.present?.[modality]?.dataSync<'float32'>();
          labels.forEach((label, i) => {
            if (mask && !((mask[i] as number) > 0)) return;
            found[modality].rows.push(values.slice(i * width, (i + 1) * width));
            found[modality].labels.push(label);
          });
        }
      });
    } finally {
      tf.dispose(batch);
    }
    // Lets timers and signals through.
    await tf.nextFrame();
  }
  return found;
}

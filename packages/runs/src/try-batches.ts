import * as tf from '@tensorflow/tfjs-core';
import { G2DError, type Batch, type Split } from '@g2d/core';
import { batches } from '@g2d/datasets';
import type { OpenedRun } from './open-run.js';

/** Batch normalization is in inference mode: two samples are as good as many. */
const SAMPLES = 2;

/**
 * Reads the first samples of each split and gives them to the model, so that what would stop the first evaluation, after an epoch or at
 * the very end, stops the run before its first step. Nothing of the run changes.
 *
 * @throws {G2DError} `G2D_DIVERGED` if the model gives something that is not finite; what reading the samples throws.
 */
export async function tryBatches(run: OpenedRun): Promise<void> {
  const { data, plan, model } = run;
  const { modalities } = model;
  const { onError } = plan.config.data;
  for (const split of ['train', 'validation', 'test'] as const) {
    const dataset = data[split];
    if (!dataset) continue;
    // Of samples that are left out the training tells.
    const onDrop = (): void => {};
    const reading = { batchSize: SAMPLES, modalities, onError, onDrop, transform: 'test' } as const;
    for await (const batch of batches(dataset, reading)) {
      try {
        assertFinite(batch, split, model);
      } finally {
        tf.dispose(batch);
      }
      break;
    }
  }
}

function assertFinite(batch: Batch<string>, split: Split, model: OpenedRun['model']): void {
  const logits = tf.tidy(() => model.forward(batch, { training: false }).logits.dataSync());
  const broken = logits.findIndex((value: number) => !Number.isFinite(value));
  if (broken === -1) return;
  const id = batch.ids[Math.floor(broken / (logits.length / batch.ids.length))];
  throw new G2DError(
    'G2D_DIVERGED',
    `The model gives ${logits[broken]} for sample "${id}" of the ${split} split, before any training. Look for values in it that are not finite, or for initial weights that are not.`,
    { split, id },
  );
}

// How everything of the experiment is trained: the numbers of examples/av-mnist-small/small.json.
import type { OptimizerSettings } from '@g2d/core';
import { batches, randomAffineCrop, type SmallAvMnistSplit } from '@g2d/datasets';
import type { Modality } from './names.js';

export const BATCH_SIZE = 64;

/** A tenth of the learning rate after 70 % of the epochs. */
export const optimizerFor = (epochs: number): OptimizerSettings => ({
  type: 'sgd',
  learningRate: 0.05,
  momentum: 0.9,
  weightDecay: 1e-4,
  schedule: { type: 'step', after: [Math.max(1, Math.round(0.7 * epochs))] },
});

/** The batches of an epoch: shuffled, the pictures cropped and turned at random, as everywhere with this seed. */
export const trainingBatches =
  <M extends Modality>(train: SmallAvMnistSplit, modalities: readonly M[], seed: number) =>
  (epoch: number, startBatch: number) =>
    batches<Modality, M>(train, {
      batchSize: BATCH_SIZE,
      seed,
      epoch,
      startBatch,
      shuffle: true,
      dropLast: true,
      modalities,
      ...((modalities as readonly string[]).includes('image') && {
        augment: { image: randomAffineCrop() } as object,
      }),
    });

export const batchesPerEpoch = (train: SmallAvMnistSplit): number => Math.floor(train.size / BATCH_SIZE);

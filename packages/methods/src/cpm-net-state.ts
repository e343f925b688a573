import { OptionError, type Step, type Training } from '@g2d/core';
import { deriveSeed, randomStream } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { untrained, type TrainedTensor } from './adam-of-tensor.js';
import { classCounts } from './latent-classes.js';

/** What CPM-Net remembers. */
export interface CpmNetState {
  /** Of all training samples, as JSON: it is walked through at every step. */
  readonly ids: string;
  readonly labels: Float32Array;
  latents: TrainedTensor;
  /** Of what predictions begin with. */
  readonly seed: number;
  /** The run's learning rate, as set up. */
  readonly rate: number;
}

/** As Xavier's for a matrix `[N, d]`: it shrinks with N. */
const boundOf = (samples: number, latent: number): number => Math.sqrt(6 / (samples + latent));

/**
 * Looks at every training sample's id and label.
 *
 * @throws {OptionError} If the split is not one batch, or a class has one sample.
 */
export async function beginning<M extends string>(
  training: Training<M>,
  latent: number,
): Promise<CpmNetState> {
  const { batchesPerEpoch = 1, optimizer } = training;
  const ids: string[] = [];
  const labels: number[] = [];
  for await (const batch of training.everySample([])) {
    ids.push(...batch.ids);
    labels.push(...batch.labels.dataSync());
    tf.dispose(batch as object as tf.TensorContainer);
  }
  if (batchesPerEpoch > 1)
    refuse(
      `${batchesPerEpoch} batches of ${ids.length} samples`,
      batchesPerEpoch,
      `a batch size of ${ids.length} or more`,
    );
  const lonely = classCounts(labels, Math.max(...labels) + 1).indexOf(1);
  if (lonely >= 0)
    throw new OptionError(
      `Class ${lonely} has one training sample ("${ids[labels.indexOf(lonely)]}"), and CPM-Net compares each sample with the others of its class. Give the class another sample, or leave it out.`,
      { option: 'everySample', value: lonely, accepted: 'two samples or more of each class' },
    );
  const random = training.random('cpm-net');
  const bound = boundOf(ids.length, latent);
  const values = Float32Array.from({ length: ids.length * latent }, () => bound * (2 * random.uniform() - 1));
  return {
    ids: JSON.stringify(ids),
    labels: Float32Array.from(labels),
    latents: untrained(tf.tensor2d(values, [ids.length, latent])),
    seed: random.integer(2 ** 31),
    rate: optimizer.learningRate,
  };
}

/** What predictions of samples begin with, `[B, d]`: it follows from their ids, so that their order does not matter. */
export function startOf(ids: readonly string[], { seed, labels, latents }: CpmNetState): tf.Tensor2D {
  const width = latents.value.shape[1];
  const bound = boundOf(labels.length, width);
  const rows = ids.flatMap((id) => {
    const random = randomStream(deriveSeed(seed, `latent/${id}`));
    return Array.from({ length: width }, () => bound * (2 * random.uniform() - 1));
  });
  return tf.tensor2d(rows, [ids.length, width]);
}

function refuse(found: string, value: unknown, accepted: string): never {
  throw new OptionError(
    `CPM-Net compares all training samples with one another in every step, but an epoch has ${found}. Give it ${accepted}.`,
    { option: 'batchSize', value, accepted },
  );
}

/** @throws {OptionError} If an epoch has another batch. */
export function assertWhole<M extends string>({ batchIndex, batch, epoch }: Step<M>): void {
  if (batchIndex > 0)
    refuse(
      `a second batch (epoch ${epoch}, ${batch.ids.length} samples)`,
      batchIndex,
      'the whole split as one batch',
    );
}

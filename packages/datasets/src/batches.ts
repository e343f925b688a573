import type { MultimodalDataset } from '@g2d/core';
import type { Batch } from './batch.js';
import { passOver, type BatchesOptions } from './pass.js';
import { workerReader } from './pipeline/worker-reader.js';

/**
 * One pass over a dataset in batches of tensors.
 *
 * Order and augmentation depend on seed, epoch and sample alone, so they are the same for every method, batch size and
 * number of workers: the order comes from the stream `order/epoch-N` of the seed, each augmentation from
 * `augmentation/epoch-N/<modality>/<id>`. Batches and errors come in order. A batch's tensors are made just before it is
 * handed over, so that a loop left early leaves nothing behind but the batch it holds.
 *
 * Workers stay for half a minute after a pass, for the next one, and never keep the process alive. A batch whose samples
 * were all left out does not come, but `startBatch` counts it.
 *
 * @throws {OptionError} If an option has an impossible value.
 * @throws {UnknownModalityError} If the dataset lacks a modality that is named.
 * @throws {G2DError} `G2D_SAMPLE` names the sample that could not be read, with the reason as `cause`; `G2D_WORKER` if a
 * worker thread dies or cannot open the dataset.
 * @example
 * for await (const batch of batches(train, { batchSize: 64, seed: 0, epoch: 1, shuffle: true })) {
 *   console.log(batch.ids.length);
 *   tf.dispose(batch);
 * }
 * @see G2D, App. A.4
 */
export function batches<M extends string, K extends M = M>(
  dataset: MultimodalDataset<M>,
  options: BatchesOptions<M, K>,
): AsyncGenerator<Batch<K>, void, undefined> {
  return passOver<M, K>(dataset, workerReader, options);
}

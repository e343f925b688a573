import { OptionError, type MultimodalDataset } from '@g2d/core';
import type { Batch } from './batch.js';
import { passOver, type BatchesOptions, type StartWorkers } from './pass.js';

/**
 * `batches` where there are no threads to read with, as in a browser.
 *
 * @throws {OptionError} As `batches`, and if there are to be workers.
 */
export function batches<M extends string, K extends M = M>(
  dataset: MultimodalDataset<M>,
  options: BatchesOptions<M, K>,
): AsyncGenerator<Batch<K>, void, undefined> {
  return passOver<M, K>(dataset, refuse, options);
}

const refuse: StartWorkers = (_, __, { workers }) => {
  throw new OptionError(
    `\`workers\` is ${workers}, but only Node has threads that read; leave it at 0 here.`,
    { option: 'workers', value: workers, accepted: '0' },
  );
};

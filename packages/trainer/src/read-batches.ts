import type { BatchesOptions } from '@g2d/datasets';
import { OptionError, type Batch, type MultimodalDataset } from '@g2d/core';

/**
 * `batches` of `@g2d/datasets`, loaded with the first dataset that is read: the loop itself takes batches from anywhere, and
 * installs and runs without that package.
 *
 * @throws {OptionError} If the package is not installed.
 */
export async function* readBatches<M extends string, K extends M = M>(
  dataset: MultimodalDataset<M>,
  options: BatchesOptions<M, K>,
): AsyncGenerator<Batch<K>, void, undefined> {
  const { batches } = await loadDatasets();
  yield* batches<M, K>(dataset, options);
}

async function loadDatasets(): Promise<typeof import('@g2d/datasets')> {
  try {
    return await import('@g2d/datasets');
  } catch (error) {
    const { code, message } = error as { readonly code?: unknown; readonly message: string };
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes('@g2d/datasets')) throw error;
    throw new OptionError(
      'Reading a dataset needs the package @g2d/datasets. Run npm install @g2d/datasets.',
      { option: 'dataset', value: '@g2d/datasets', accepted: 'an installed package' },
    );
  }
}

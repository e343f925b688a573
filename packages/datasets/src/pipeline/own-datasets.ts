import { avMnist } from '../av-mnist.js';
import type { MultimodalDataset } from '../dataset.js';
import { decodedCache } from '../decoded-cache.js';
import { missingModalities } from '../missing-modalities.js';

/**
 * What `source: { module: '@g2d/datasets', name }` can name: every dataset of this package is added here. A list apart from the
 * package's index, so that workers start without TensorFlow.js.
 */
export const ownDatasets: Readonly<Record<string, (options: never) => unknown>> = { avMnist };

/** Those that wrap another dataset, whose own source is `inner` among the options. */
export const ownWrappers: Readonly<
  Record<string, (dataset: MultimodalDataset<string>, options: never) => MultimodalDataset<string>>
> = { decodedCache, missingModalities };

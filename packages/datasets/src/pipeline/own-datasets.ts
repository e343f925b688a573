import type { MultimodalDataset, Split } from '@g2d/core';
import { datasets } from '../datasets.js';
import { decodedCache } from '../decoded-cache.js';
import { missingModalities } from '../missing-modalities.js';
import { withClassNames } from '../with-class-names.js';

/**
 * What `source: { module: '@g2d/datasets', name }` can name: the datasets of this package. Apart from the package's index, so that
 * workers start without TensorFlow.js.
 */
export const ownDatasets: Readonly<Record<string, (options: never) => unknown>> = Object.fromEntries(
  datasets.map(({ name, make }) => [
    name,
    ({ split, ...options }: { readonly split: Split }) => make(split, options),
  ]),
);

/** Those that wrap another dataset, whose own source is `inner` among the options. */
export const ownWrappers: Readonly<
  Record<string, (dataset: MultimodalDataset<string>, options: never) => MultimodalDataset<string>>
> = { decodedCache, missingModalities, withClassNames };

import type { MultimodalDataset } from '@g2d/core';
import { someSamples } from '@g2d/datasets';

/** Some samples of a dataset, in its order. It stays open: `close` is the dataset's. */
export function samplesOf<M extends string>(
  dataset: MultimodalDataset<M>,
  ids: readonly string[],
): MultimodalDataset<M> {
  const wanted = new Set(ids);
  const places = dataset.ids.flatMap((id, index) => (wanted.has(id) ? [index] : []));
  return { ...someSamples(dataset, places), close: () => {} };
}

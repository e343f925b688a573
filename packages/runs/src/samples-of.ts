import type { MultimodalDataset } from '@g2d/core';

/** Some samples of a dataset, in its order. It stays open: `close` is the dataset's. */
export function samplesOf<M extends string>(
  dataset: MultimodalDataset<M>,
  ids: readonly string[],
): MultimodalDataset<M> {
  const wanted = new Set(ids);
  const places = dataset.ids.flatMap((id, index) => (wanted.has(id) ? [index] : []));
  const at = (index: number): number => places[index] as number;
  // Without the source: for a few samples no worker is worth its start.
  const { source: _, labels, files, ...rest } = dataset;
  return {
    ...rest,
    ids: places.map((place) => dataset.ids[place] as string),
    size: places.length,
    ...(labels && { labels: places.map((place) => labels[place] as number) }),
    ...(files && { files: (index, modality) => files.call(dataset, at(index), modality) }),
    sample: (index, options) => dataset.sample(at(index), options),
    close: () => {},
  };
}

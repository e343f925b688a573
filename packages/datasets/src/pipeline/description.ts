import type { MultimodalDataset } from '@g2d/core';

/** What a dataset says about its samples: for one that wraps it. */
export function descriptionOf<M extends string>(
  dataset: MultimodalDataset<M>,
): Omit<MultimodalDataset<M>, 'sample' | 'close' | 'source' | 'files'> {
  const { name, split, task, modalities, shapes, classNames, ids, size } = dataset;
  const { labels, augmented, incomplete, preprocessing } = dataset;
  return {
    name,
    split,
    task,
    modalities,
    shapes,
    classNames,
    ids,
    size,
    ...(labels && { labels }),
    ...(augmented && { augmented }),
    ...(incomplete && { incomplete }),
    ...(preprocessing && { preprocessing }),
  };
}

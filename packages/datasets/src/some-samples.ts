import type { Label, MultimodalDataset } from '@g2d/core';
import { descriptionOf } from './pipeline/description.js';

/**
 * A part of a dataset's samples, in the order of their indices.
 *
 * @param dataset It is closed with the wrapper.
 * @param indices Of samples that the part has.
 * @example
 * const whole = someSamples(test, indicesOfSamplesWithSound);
 */
export function someSamples<M extends string>(
  dataset: MultimodalDataset<M>,
  indices: readonly number[],
): MultimodalDataset<M> {
  const { ids, labels, files } = dataset;
  const at = (index: number): number => indices[index] as number;
  return {
    ...descriptionOf(dataset),
    size: indices.length,
    ids: indices.map((index) => ids[index] as string),
    ...(labels && { labels: indices.map((index) => labels[index] as Label) }),
    sample: (index, options) => dataset.sample(at(index), options),
    ...(files && { files: (index: number, modality: M) => files.call(dataset, at(index), modality) }),
    close: () => dataset.close(),
  };
}

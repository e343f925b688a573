import { OptionError } from '@g2d/tensor-ops';
import type { MultimodalDataset, Sample } from './dataset.js';

/**
 * Reads a dataset once and serves its samples from memory: for small sets, whose files would otherwise be read again
 * in every epoch. The original is closed.
 *
 * @param dataset What to read.
 * @param options `maxBytes`: refuse datasets that need more memory than this. Default 1 GiB.
 * @throws {OptionError} If the samples need more than `maxBytes`; nothing has been read then.
 */
export async function inMemory<M extends string>(
  dataset: MultimodalDataset<M>,
  { maxBytes = 2 ** 30 }: { readonly maxBytes?: number } = {},
): Promise<MultimodalDataset<M>> {
  const perSample = dataset.modalities.reduce(
    (sum, modality) => sum + 4 * dataset.shapes[modality].reduce((product, axis) => product * axis, 1),
    0,
  );
  const bytes = perSample * dataset.size;
  if (bytes > maxBytes) {
    throw new OptionError(
      `${dataset.name} (${dataset.split}) needs ${bytes} bytes in memory, more than \`maxBytes\` (${maxBytes}). Raise it, ` +
        'or use the dataset itself, which reads from its files.',
      { option: 'maxBytes', value: maxBytes, accepted: `at least ${bytes}` },
    );
  }
  const samples: Sample<M>[] = [];
  try {
    for (let i = 0; i < dataset.size; i++) samples.push(await dataset.sample(i));
  } finally {
    await dataset.close();
  }
  return {
    name: dataset.name,
    split: dataset.split,
    modalities: dataset.modalities,
    shapes: dataset.shapes,
    classNames: dataset.classNames,
    size: dataset.size,
    async sample(index) {
      const stored = samples[index];
      if (stored === undefined) {
        throw new OptionError(
          `There is no sample ${index} in the ${dataset.split} split of ${dataset.size}.`,
          {
            option: 'index',
            value: index,
            accepted: `0 to ${dataset.size - 1}`,
          },
        );
      }
      const copies = dataset.modalities.map((modality) => [modality, stored.inputs[modality].slice()]);
      return { ...stored, inputs: Object.fromEntries(copies) as Record<M, Float32Array> };
    },
    close() {
      samples.length = 0;
    },
  };
}

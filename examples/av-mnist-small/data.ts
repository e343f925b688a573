import { type MultimodalDataset } from '@g2d/core';
import { avMnist, buildSmallAvMnist, inMemory } from '@g2d/datasets';
import type { Settings } from './settings.js';

export type Modality = 'audio' | 'image';

/** The three parts of the small AV-MNIST, in memory, and the folder they come from. */
export interface Data {
  readonly root: string;
  readonly train: MultimodalDataset<Modality>;
  readonly validation: MultimodalDataset<Modality>;
  readonly test: MultimodalDataset<Modality>;
}

/** Builds the small AV-MNIST from the recordings and images in `sources` (cached under `sources/built`) and reads it. */
export async function openData(sources: string, draw: Settings['draw']): Promise<Data> {
  const built = await buildSmallAvMnist({ sources, out: `${sources}/built/av-mnist-small-${draw}`, draw });
  const [train, validation, test] = await Promise.all(
    (['train', 'validation', 'test'] as const).map(async (split) =>
      inMemory(await avMnist({ ...built, split })),
    ),
  );
  return { root: built.root, train: train!, validation: validation!, test: test! };
}

import { type MultimodalDataset } from '@g2d/core';
import { avMnist, buildSmallAvMnist, inMemory } from '@g2d/datasets';
import type { SweepPlan } from '@g2d/runs';

export type Modality = 'audio' | 'image';

/** The three splits of the small AV-MNIST, in memory, and the folder they come from. */
export interface Data {
  readonly root: string;
  readonly train: MultimodalDataset<Modality>;
  readonly validation: MultimodalDataset<Modality>;
  readonly test: MultimodalDataset<Modality>;
}

/** The data that the runs of a sweep were trained on: built from recordings and images once, cached beside them. */
export async function openData({ runs }: SweepPlan): Promise<Data> {
  const { root: sources, draw } = runs[0]!.config.dataset as unknown as {
    readonly root: string;
    readonly draw: 'main' | 'second';
  };
  const built = await buildSmallAvMnist({ sources, out: `${sources}/built/av-mnist-small-${draw}`, draw });
  const [train, validation, test] = await Promise.all(
    (['train', 'validation', 'test'] as const).map(async (split) =>
      inMemory(await avMnist({ ...built, split })),
    ),
  );
  return { root: built.root, train: train!, validation: validation!, test: test! };
}

import { type RandomStream } from '@g2d/core';
import { deriveSeed, randomStream } from '@g2d/tensor-ops';

/** What the augmentation of a pass is drawn from. */
export interface AugmentationSeed {
  readonly seed: number;
  readonly epoch: number;
}

/** The stream of one sample's augmentation in one epoch: the same for every method, batch size and number of workers. */
export const augmentationStream = (
  { seed, epoch }: AugmentationSeed,
  modality: string,
  id: string,
): RandomStream => randomStream(deriveSeed(seed, `augmentation/epoch-${epoch}/${modality}/${id}`));

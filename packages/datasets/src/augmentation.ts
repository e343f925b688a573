import type { RandomStream } from '@g2d/core';

/**
 * Changes one input at random, for training. It may change `input` in place and return it.
 *
 * @param input One sample of a modality, flat, of `shape`.
 * @param random Its own stream: the same (seed, epoch, modality, sample) always gets the same numbers.
 */
export type Augmentation = (
  input: Float32Array,
  shape: readonly number[],
  random: RandomStream,
) => Float32Array;

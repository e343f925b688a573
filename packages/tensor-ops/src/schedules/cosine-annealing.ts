import { checkKeys } from '@g2d/core';
import { assertEpochs } from './assert-epochs.js';

/**
 * Learning rate of an epoch on half a cosine from `base` down to `min`.
 *
 * lr(e) = min + (base − min) · (1 + cos(π (e − 1) / epochs)) / 2
 *
 * As PyTorch's `CosineAnnealingLR`, but after `epochs` the rate stays at `min`, where PyTorch's rises again. Before
 * epoch 1 it is `base`, so that the curve can begin after a warm-up.
 *
 * @param base Learning rate of the first epoch.
 * @param epoch Counted from 1.
 * @param options `epochs`: length of the fall; `min`: default 0.
 * @throws {OptionError} If `epochs` is not a whole number of at least 1.
 * @example
 * cosineAnnealing(0.1, 51, { epochs: 100 }); // 0.05
 */
export function cosineAnnealing(
  base: number,
  epoch: number,
  options: { readonly epochs: number; readonly min?: number },
): number {
  const { epochs, min = 0 } = checkKeys(options, { epochs: true, min: true }, 'cosineAnnealing');
  assertEpochs('epochs', epochs);
  const progress = Math.min(Math.max((epoch - 1) / epochs, 0), 1);
  return min + ((base - min) * (1 + Math.cos(Math.PI * progress))) / 2;
}

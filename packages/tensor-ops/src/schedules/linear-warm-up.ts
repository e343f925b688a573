import { checkKeys } from '@g2d/core';
import { assertEpochs } from './assert-epochs.js';

/**
 * Learning rate of an epoch while it grows linearly from a part of `rate` to all of it. PyTorch's `LinearLR`.
 *
 * lr(e) = rate · (start + (1 − start) · min((e − 1) / epochs, 1))
 *
 * Wraps any schedule: give the rate that the schedule has in this epoch. Subtract the warm-up from the epoch of a schedule
 * that shall begin after it.
 *
 * @param rate What the rate would be without the warm-up.
 * @param epoch Counted from 1.
 * @param options `epochs`: the rate is whole from epoch `epochs` + 1 on; `start`: the part in the first epoch, default 1/3.
 * @throws {OptionError} If `epochs` is not a whole number of at least 1.
 * @example
 * linearWarmUp(cosineAnnealing(0.1, epoch - 5, { epochs: 95 }), epoch, { epochs: 5 });
 */
export function linearWarmUp(
  rate: number,
  epoch: number,
  options: { readonly epochs: number; readonly start?: number },
): number {
  const { epochs, start = 1 / 3 } = checkKeys(options, { epochs: true, start: true }, 'linearWarmUp');
  assertEpochs('epochs', epochs);
  return rate * (start + (1 - start) * Math.min((epoch - 1) / epochs, 1));
}

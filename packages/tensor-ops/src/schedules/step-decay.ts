import { checkKeys } from '@g2d/core';
import { assertEpochs } from './assert-epochs.js';

/** When and by how much the rate drops: `after` given epochs or `every` so many. */
export type StepDecayOptions = {
  /** What the rate is multiplied by at each drop. Default 0.1. */
  readonly ratio?: number;
} & (
  | {
      /** Epochs after which the rate drops: `[42]` means from epoch 43 on. PyTorch's `MultiStepLR`. */
      readonly after: readonly number[];
      readonly every?: never;
    }
  | {
      /** Number of epochs between drops: 200 means from epochs 201, 401 and so on. PyTorch's `StepLR`. */
      readonly every: number;
      readonly after?: never;
    }
);

/**
 * Learning rate of an epoch: multiplied by `ratio` at every milestone passed.
 *
 * lr(e) = base · ratio^|{ s : s < e }|, s = every, 2 · every, … with `every`
 *
 * @param base Learning rate of the first epoch.
 * @param epoch Counted from 1.
 * @throws {OptionError} If `every` is not a whole number of at least 1.
 * @example
 * stepDecay(0.05, 43, { after: [42] }); // 0.005
 * @see G2D, App. A.4.2
 */
export function stepDecay(base: number, epoch: number, options: StepDecayOptions): number {
  const {
    after,
    every,
    ratio = 0.1,
  } = checkKeys(options, { after: true, every: true, ratio: true }, 'stepDecay');
  if (after) return base * ratio ** after.filter((milestone) => epoch > milestone).length;
  assertEpochs('every', every);
  return base * ratio ** Math.max(0, Math.floor((epoch - 1) / every));
}

import { checkKeys, OptionError } from '@g2d/core';
import { assertEpochs } from './assert-epochs.js';

/**
 * Learning rate of an epoch that stays for some epochs, and then falls by the same amount each epoch.
 *
 * lr(e) = base · (1 − max(0, e − constant) / (epochs − constant + 1))
 *
 * In the last epoch 1 / (epochs − constant + 1) of it is left, never 0; later epochs have as much. As the `linear` policy of MMIN, GCNet and pix2pix.
 *
 * @param base Learning rate of the first epochs.
 * @param epoch Counted from 1.
 * @param options `constant`: epochs before the fall, default 0. `epochs`: the last one of the fall.
 * @throws {OptionError} If `epochs` is not a whole number of at least 1, or `constant` not one from 0 to `epochs`.
 * @example
 * linearDecay(0.1, 100, { constant: 20, epochs: 100 }); // 0.1 / 81
 */
export function linearDecay(
  base: number,
  epoch: number,
  options: { readonly type?: 'linear'; readonly constant?: number; readonly epochs: number },
): number {
  const { constant = 0, epochs } = checkKeys(
    options,
    { type: true, constant: true, epochs: true },
    'linearDecay',
  );
  assertEpochs('epochs', epochs);
  if (!(Number.isInteger(constant) && constant >= 0 && constant <= epochs)) {
    const accepted = `a whole number from 0 to ${epochs}, the \`epochs\``;
    throw new OptionError(`\`constant\` is ${constant}; it must be ${accepted}.`, {
      option: 'constant',
      value: constant,
      accepted,
    });
  }
  const fallen = Math.max(0, Math.min(epoch, epochs) - constant);
  return base * (1 - fallen / (epochs - constant + 1));
}

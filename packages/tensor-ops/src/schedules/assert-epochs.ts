import { OptionError } from '@g2d/core';

/** Throws an `OptionError` unless `value` is a number of epochs of at least 1. */
export function assertEpochs(option: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  const accepted = 'a whole number of epochs of at least 1';
  throw new OptionError(`\`${option}\` is ${value}; it must be ${accepted}.`, { option, value, accepted });
}

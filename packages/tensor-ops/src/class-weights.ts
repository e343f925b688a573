import { OptionError } from '@g2d/core';

/** @throws {OptionError} Unless they are finite numbers of at least 0. */
export function assertClassWeights(classWeights: readonly number[] | undefined): void {
  const wrong = classWeights?.findIndex((weight) => !(weight >= 0 && weight < Infinity)) ?? -1;
  if (wrong < 0) return;
  const accepted = 'a finite number of at least 0';
  throw new OptionError(`\`classWeights[${wrong}]\` is ${classWeights?.[wrong]}; it must be ${accepted}.`, {
    option: `classWeights[${wrong}]`,
    value: classWeights?.[wrong],
    accepted,
  });
}

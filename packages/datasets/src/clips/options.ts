import { OptionError, shown } from '@g2d/core';

/** @throws {OptionError} Unless `value` is one of `accepted`. */
export function checkOneOf(option: string, value: unknown, accepted: readonly unknown[]): void {
  if (accepted.includes(value)) return;
  const names = accepted.map(shown).join(', ');
  throw new OptionError(`\`${option}\` is ${shown(value)}; it can be ${names}.`, {
    option,
    value,
    accepted: names,
  });
}

/** @throws {OptionError} Unless `value` is a whole number from `least` to `most`. */
export function checkWhole(option: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new OptionError(`\`${option}\` is ${value}; it must be a whole number from ${least} to ${most}.`, {
    option,
    value,
    accepted: `a whole number from ${least} to ${most}`,
  });
}

/** @throws {OptionError} Unless `value` is at least 0 and less than 1. */
export function checkShare(option: string, value: number): void {
  if (value >= 0 && value < 1) return;
  throw new OptionError(`\`${option}\` is ${value}; it must be a share of the training clips, such as 0.1.`, {
    option,
    value,
    accepted: '0 ≤ share < 1',
  });
}

/** The released code extracts frames at so many a second into a folder of this name. */
export function frameFolderName(framesPerSecond: number): string {
  checkWhole('framesPerSecond', framesPerSecond, 1, 1000);
  return `Image-${String(framesPerSecond).padStart(2, '0')}-FPS`;
}

import { OptionError } from '@g2d/core';

/** Throws an `OptionError` unless every option is a finite number of at least 0 (and below `below`, where given). */
export function assertOptions(options: Readonly<Record<string, number>>, below = Infinity): void {
  for (const [option, value] of Object.entries(options)) {
    if (value >= 0 && value < below) continue;
    const accepted =
      below === Infinity ? 'a finite number of at least 0' : `a number of at least 0 and below ${below}`;
    throw new OptionError(`\`${option}\` is ${value}; it must be ${accepted}.`, { option, value, accepted });
  }
}

import { OptionError } from '@g2d/core';

/** @throws {OptionError} For a value that is not among those accepted. */
export function choice(option: string, value: string, accepted: readonly string[]): string {
  if (accepted.includes(value)) return value;
  const names = accepted.join(', ');
  throw new OptionError(`--${option} is "${value}"; it can be ${names}.`, { option, value, accepted: names });
}

/** @throws {OptionError} For what is no whole number of at least `least`. */
export function wholeNumber(option: string, value: string, least: number): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && Number.isSafeInteger(number) && number >= least) return number;
  const accepted = `a whole number of at least ${least}`;
  throw new OptionError(`--${option} is "${value}"; it must be ${accepted}.`, { option, value, accepted });
}

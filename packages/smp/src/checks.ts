import { OptionError } from '@g2d/core';

/** An error that says what came and what was expected. One pattern for all: this package is to stay small. */
export function wrongOption(option: string, value: unknown, expected: string): OptionError {
  let came: unknown = typeof value;
  try {
    // JSON would show NaN as null. It has no word for a bigint, or for a circle, such as a model that was handed in as an optimizer.
    came = came === 'number' ? value : JSON.stringify(value);
  } catch {}
  return new OptionError(`\`${option}\` is ${came}; expected ${expected}.`, {
    option,
    value,
    accepted: expected,
  });
}

/** Throws unless a value is among those that are accepted. */
export function assertOneOf(
  option: string,
  value: unknown,
  accepted: readonly unknown[],
  came = value,
): void {
  if (!accepted.includes(value)) throw wrongOption(option, came, `one of ${accepted}`);
}

/** Refuses an option that does not exist: `known` has every one that does, and the compiler keeps it complete. */
export function assertKnown<T extends object>(given: T, known: { readonly [K in keyof T]-?: unknown }): void {
  for (const option of Object.keys(given))
    // The value may be a tensor: too long for the sentence.
    assertOneOf(option, option, Object.keys(known), 'unknown');
}

/** True for a number in [0, 1], as ρ and κ are. */
export const isUnit = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= 1;

/** True for a whole number of at least `least`. */
export const isWhole = (value: unknown, least: number): boolean =>
  Number.isInteger(value) && (value as number) >= least;

/** True if `a` is `b` in some order; the names in `b` are distinct. */
export const isSameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && b.every((name) => a.includes(name));

/** True for a record of a valid value for each modality, and of nothing else. */
export const isPerModality = (
  record: object | undefined,
  modalities: readonly string[],
  isValid: (value: never) => boolean,
): boolean =>
  isSameSet(Object.keys(record ?? {}), modalities) &&
  Object.values(record as Readonly<Record<string, never>>).every(isValid);

import type { Split } from '@g2d/core';
import { OptionError } from '@g2d/core';

const SPLITS = ['train', 'validation', 'test'] as const;

/** What `--set` takes: `key=value`, the value JSON or text. */
export function parseSettings(settings: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    settings.map((setting) => {
      const at = setting.indexOf('=');
      if (at < 1) {
        throw new OptionError(`--set is "${setting}"; it must be key=value, such as fold=2.`, {
          option: 'set',
          value: setting,
          accepted: 'key=value',
        });
      }
      const text = setting.slice(at + 1);
      return [setting.slice(0, at), jsonOr(text)];
    }),
  );
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** @throws {OptionError} If it is none of the splits. */
export function parseSplit(split: string | undefined): Split {
  const known = SPLITS.find((name) => name === split);
  if (known) return known;
  throw new OptionError(
    split === undefined
      ? `--split is missing; it can be ${SPLITS.join(', ')}.`
      : `--split is "${split}"; it can be ${SPLITS.join(', ')}.`,
    { option: 'split', value: split, accepted: SPLITS.join(', ') },
  );
}

/** @throws {OptionError} Unless it is a whole number of at least `least`. */
export function parseWhole(option: string, value: string, least: number): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && Number.isSafeInteger(number) && number >= least) return number;
  throw new OptionError(`--${option} is "${value}"; it must be a whole number of at least ${least}.`, {
    option,
    value,
    accepted: `a whole number ≥ ${least}`,
  });
}

/** @throws {OptionError} If an option that is needed is not given. */
export function required(option: string, value: string | undefined, what: string): string {
  if (value !== undefined && value !== '') return value;
  throw new OptionError(`${option} is missing: ${what}.`, { option, value, accepted: what });
}

/** The two positional arguments that every `g2d data` command has. */
export function datasetAndFolder(
  positionals: readonly string[],
): readonly [dataset: string | undefined, folder: string] {
  const [dataset, folder, ...rest] = positionals;
  if (rest.length > 0) {
    throw new OptionError(
      `"${rest[0]}" is one argument too many; a dataset and its folder come before the options.`,
      { option: 'folder', value: rest[0], accepted: '<dataset> <folder>' },
    );
  }
  // An unknown dataset is the first thing to say.
  return [dataset, dataset === undefined ? '' : (folder ?? '')];
}

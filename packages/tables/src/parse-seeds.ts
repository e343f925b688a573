import { OptionError } from '@g2d/core';
import { parseWhole } from '@g2d/cli/internal';

/**
 * What `--seeds` takes: `0,1,2`.
 *
 * @throws {OptionError} Unless they are whole numbers, each once.
 */
export function parseSeeds(text: string | undefined): readonly number[] | undefined {
  if (text === undefined) return undefined;
  const seeds = text.split(',').map((seed) => parseWhole('seeds', seed.trim(), 0));
  if (new Set(seeds).size === seeds.length) return seeds;
  throw new OptionError(`--seeds is "${text}"; each seed counts once.`, {
    option: 'seeds',
    value: text,
    accepted: 'whole numbers, each once',
  });
}

import { readSweep, type Sweep } from '@g2d/runs';
import { parseProcesses } from '../run/processes-of.js';
import { parseSettings, parseWhole } from '../data/arguments.js';

/** What a command line changes in a sweep. */
export const changeOptions = {
  seeds: { value: 'LIST', help: "in place of the file's, such as 0,1,2" },
  set: {
    value: 'KEY=VALUE',
    multiple: true,
    help: 'a setting of every run, above the file\'s "set"; may be given several times',
  },
} as const;

/**
 * Reads a sweep's file, with the changes.
 *
 * @throws {OptionError} As `readSweep`, or if a change is impossible.
 */
export function changedSweep(
  path: string,
  {
    seeds,
    set,
    out,
    processes,
  }: {
    readonly seeds: string | undefined;
    readonly set: readonly string[];
    readonly out?: string | undefined;
    readonly processes?: string | undefined;
  },
): Sweep {
  const sweep = readSweep(path, out === undefined ? {} : { out });
  const seed = seeds?.split(',').map((each) => parseWhole('seeds', each, 0));
  return {
    ...sweep,
    set: { ...sweep.set, ...parseSettings(set) },
    ...(processes !== undefined && { processes: parseProcesses(processes) }),
    ...(seed && { grid: { ...sweep.grid, seed } }),
  };
}

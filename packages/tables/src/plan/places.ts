import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { OptionError } from '@g2d/core';
import { isFolder } from '@g2d/formats/node';

/** `smoke`: the paths work, on a few samples. `small`: real data that come with the repository. `paper`: the paper's. */
export const SCALES = ['smoke', 'small', 'paper'] as const;
export type Scale = (typeof SCALES)[number];

/** The paper's tables. */
export const TABLES: readonly number[] = Array.from({ length: 12 }, (_, at) => at + 1);

/** Table 7 with phases as long as the paper's labels say; see `--literal`. */
export const LITERAL = 'table-7-literal';

/** Where the sweeps of tables and figures are, in the folder of the repository. */
export const SWEEPS = 'examples/tables';

/** @throws {OptionError} If there is no such scale. */
export function parseScale(text: string): Scale {
  const known = SCALES.find((scale) => scale === text);
  if (known) return known;
  throw new OptionError(`--scale is "${text}"; it can be ${SCALES.join(', ')}.`, {
    option: 'scale',
    value: text,
    accepted: SCALES.join(', '),
  });
}

/** @throws {OptionError} If the paper has no such table. */
export function parseTable(text: string | undefined): number {
  const number = TABLES.find((table) => String(table) === text);
  if (number !== undefined) return number;
  const came = text === undefined ? 'N is missing' : `There is no Table ${text}`;
  throw new OptionError(`${came}; the paper has Tables 1 to ${TABLES.length}, and g2d tables lists them.`, {
    option: 'N',
    value: text,
    accepted: `1 to ${TABLES.length}`,
  });
}

/**
 * Names of the sweep files of a scale, in the order of their numbers.
 *
 * @param place Of one table or figure, such as `table-4`; `table-7` has `table-7-crema-d` and others, but not those of `table-7-literal`. Default: all of them.
 * @throws {OptionError} If g2d was not started in the repository's folder.
 */
export function sweepFiles(scale: Scale, place = '(?:table|figure)-\\d+(?:-literal)?'): readonly string[] {
  if (!isFolder(SWEEPS)) {
    throw new OptionError(
      `There is no folder ${SWEEPS} here. Start g2d table in the folder of the repository.`,
      { option: 'N', value: process.cwd(), accepted: 'the folder of the repository' },
    );
  }
  // The second reading of Table 7 is a table of its own.
  const wanted = new RegExp(`^${place}(?:-(?!literal)[\\w-]+)?\\.${scale}\\.json$`);
  const number = (name: string): number => Number(/\d+/.exec(name)?.[0]);
  return readdirSync(SWEEPS)
    .filter((name) => wanted.test(name))
    .sort(
      (a, b) =>
        Number(b.startsWith('table')) - Number(a.startsWith('table')) ||
        number(a) - number(b) ||
        (a < b ? -1 : 1),
    )
    .map((name) => join(SWEEPS, name));
}

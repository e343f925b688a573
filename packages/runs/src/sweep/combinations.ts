import { isDeepStrictEqual } from 'node:util';
import { OptionError, ownValue, shown } from '@g2d/core';
import type { Sweep } from './read-sweep.js';

/** One value of each key of a grid, or of some of them. */
export type Combined = Readonly<Record<string, unknown>>;

/**
 * Every combination of a sweep's grid that is not excluded, the first key the slowest.
 *
 * @param most More than this is a mistake.
 * @throws {OptionError} If there are more, "when" or "exclude" has a key that the grid has not, or a case or protocol is unknown.
 */
export function combinationsOf(sweep: Sweep, most: number): readonly Combined[] {
  const { grid, exclude } = sweep;
  const count = Object.values(grid).reduce((product, values) => product * values.length, 1);
  if (count > most) {
    throw new OptionError(`The grid has ${count} combinations; a sweep has at most ${most} runs.`, {
      option: 'grid',
      value: count,
      accepted: `at most ${most} combinations`,
    });
  }
  checkNames(sweep);
  const combinations = Object.entries(grid).reduce<Combined[]>(
    (all, [key, values]) => all.flatMap((rest) => values.map((value) => ({ ...rest, [key]: value }))),
    [{}],
  );
  return combinations.filter((combined) => !exclude.some((left) => fits(combined, left, sweep)));
}

/** Whether a combination has these values; a dataset may be given by the name of its folder. */
export const fits = (combined: Combined, wanted: Combined, { bases }: Pick<Sweep, 'bases'>): boolean =>
  Object.entries(wanted).every(([key, value]) => {
    const own = ownValue(combined, key);
    if (isDeepStrictEqual(own, value)) return true;
    return key === 'dataset' && own !== undefined && baseOf(own, bases)?.name === value;
  });

/** Where the runs of a value of the grid's "dataset" begin; without one, where all do. */
export const baseOf = (dataset: unknown, bases: Sweep['bases']): Sweep['bases'][number] =>
  bases.find(({ value }) => value === dataset) as Sweep['bases'][number];

/** The overrides of a sweep, with those of its protocol. */
export const overridesOf = ({ overrides, protocols = {}, protocol }: Sweep): Sweep['overrides'] => {
  const [first] = Object.keys(protocols);
  const name = protocol ?? first;
  return name === undefined ? overrides : [...overrides, ...(ownValue(protocols, name) ?? [])];
};

/** A name that nothing has would change nothing, in silence. */
function checkNames(sweep: Sweep): void {
  const { name, grid, cases, overrides, protocols = {}, protocol, exclude } = sweep;
  const refuse = (option: string, value: unknown, known: readonly string[], what: string): never => {
    throw new OptionError(
      `In the sweep ${name}, "${option}" has ${shown(value)}, which is no ${what}; it can have ${known.join(', ') || 'none'}.`,
      { option, value, accepted: known.join(', ') },
    );
  };
  const places = {
    'overrides.when': overrides.map(({ when }) => when),
    'protocols.when': Object.values(protocols).flatMap((all) => all.map(({ when }) => when)),
    exclude,
  };
  const keys = Object.keys(grid);
  for (const [option, each] of Object.entries(places)) {
    const strange = each.flatMap((values) => Object.keys(values)).find((key) => !keys.includes(key));
    if (strange !== undefined) refuse(option, strange, keys, 'key of the grid');
  }
  const unknown = grid['case']?.find((of) => typeof of !== 'string' || !Object.hasOwn(cases, of));
  if (unknown !== undefined) refuse('grid.case', unknown, Object.keys(cases), 'name of "cases"');
  if (protocol !== undefined && !Object.hasOwn(protocols, protocol))
    refuse('protocol', protocol, Object.keys(protocols), 'name of "protocols"');
}

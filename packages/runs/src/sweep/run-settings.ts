import { ownValue } from '@g2d/core';
import type { RunConfig } from '../config-schema.js';
import { parseConfig } from '../read-config.js';
import { seedSchema } from '../schema/numbers.js';
import { baseOf, fits, overridesOf, type Combined } from './combinations.js';
import type { Sweep, SweepBase } from './read-sweep.js';
import { isOfMethod } from './teacher-settings.js';

/**
 * The configuration of a run. Its layers, a later one above an earlier one: the base, the sweep's "set", the grid, overrides that name no
 * case, the case, overrides that name one, its own settings.
 *
 * @param isMeant Which settings of a case are the run's. Default: all.
 * @throws {OptionError} As `parseConfig`.
 */
export function configOf(
  combined: Combined,
  own: Combined,
  sweep: Sweep,
  isMeant: (key: string) => boolean = () => true,
): RunConfig {
  const { dataset, case: name, ...values } = combined;
  const base = baseOf(dataset, sweep.bases);
  const overrides = overridesOf(sweep).filter(({ when }) => fits(combined, when, sweep));
  const namesCase = ({ when }: { readonly when: Combined }): boolean => Object.hasOwn(when, 'case');
  const changes = new Map<string, unknown>();
  const add = (settings: Combined, keep: (key: string) => boolean = () => true): void => {
    for (const [key, value] of Object.entries(settings)) {
      if (!keep(key)) continue;
      // What comes later is applied later, also where one key is a part of the other: "fusion" after "fusion.hidden".
      changes.delete(key);
      changes.set(key, value);
    }
  };
  add(sweep.set);
  add(values);
  for (const override of overrides) if (!namesCase(override)) add(override.set);
  if (name !== undefined) add(ownValue(sweep.cases, name as string) ?? {}, isMeant);
  for (const override of overrides) if (namesCase(override)) add(override.set, isMeant);
  add(own);
  return parsed(base, changes, sweep);
}

/** Of each sweep: what has been parsed, by all that decides on it but the seed. Most of a plan's time would go into parsing the same again. */
const KNOWN = new WeakMap<Sweep, Map<string, RunConfig>>();

function parsed(base: SweepBase, changes: ReadonlyMap<string, unknown>, sweep: Sweep): RunConfig {
  const parse = (): RunConfig =>
    parseConfig(base.config, { where: base.path, changes: Object.fromEntries(changes) });
  const seed = changes.get('seed');
  if (seed === undefined || !seedSchema.safeParse(seed).success) return parse();
  const known = KNOWN.get(sweep) ?? new Map<string, RunConfig>();
  KNOWN.set(sweep, known);
  const key = JSON.stringify([base.path, [...changes].filter(([name]) => name !== 'seed')]);
  const found = known.get(key) ?? parse();
  known.set(key, found);
  return { ...found, seed: seed as number };
}

/** Whether a teacher depends on which modalities its students have: only where the sweep gives them settings of their own. */
export const dependsOnModalities = (sweep: Sweep): boolean =>
  overridesOf(sweep).some(
    ({ when, set }) => 'modalities' in when && Object.keys(set).some((key) => !isOfMethod(key)),
  );

/** Whether a case has settings that count, in itself or by an override that names it. */
export const dependsOnCase = (name: string, sweep: Sweep, counts: (key: string) => boolean): boolean =>
  [
    ownValue(sweep.cases, name) ?? {},
    ...overridesOf(sweep).flatMap(({ when, set }) => (when['case'] === name ? [set] : [])),
  ].some((settings) => Object.keys(settings).some(counts));

import type { RunConfig } from '../config-schema.js';
import { planMethods } from '../plan-methods.js';

type Kinds = ReadonlySet<'unimodal' | 'full'>;

/** Runs of a sweep that differ in nothing of this have the same object of options. */
const KNOWN = new WeakMap<RunConfig['methodOptions'], Map<string, Kinds>>();

/**
 * Which teachers a run's methods ask for: one of each modality, one that has all of them.
 *
 * @throws {OptionError} If a method is unknown, or an option is missing or wrong.
 */
export async function needsTeachers(config: RunConfig): Promise<Kinds> {
  const known = KNOWN.get(config.methodOptions) ?? new Map<string, Kinds>();
  KNOWN.set(config.methodOptions, known);
  const found = known.get(config.method);
  if (found) return found;
  const { methods } = await planMethods(config);
  const kinds = new Set(methods.flatMap(({ needs }) => needs?.teachers ?? []));
  known.set(config.method, kinds);
  return kinds;
}

import type { RunConfig } from '../config-schema.js';
import { planMethods } from '../plan-methods.js';

/**
 * Which teachers a run's methods ask for: one of each modality, one that has all of them.
 *
 * @throws {OptionError} If a method is unknown, or an option is missing or wrong.
 */
export async function needsTeachers(config: RunConfig): Promise<ReadonlySet<'unimodal' | 'full'>> {
  const { methods } = await planMethods(config);
  return new Set(methods.flatMap(({ needs }) => needs?.teachers ?? []));
}

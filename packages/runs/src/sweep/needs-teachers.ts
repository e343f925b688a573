import type { RunConfig } from '../config-schema.js';
import { planMethods } from '../plan-methods.js';

/**
 * Whether a run's methods ask for a teacher of each modality.
 *
 * @throws {OptionError} If a method is unknown, or an option is missing or wrong.
 */
export async function needsTeachers(config: RunConfig): Promise<boolean> {
  const { methods } = await planMethods(config);
  return methods.some(({ needs }) => needs?.teachers === 'unimodal');
}

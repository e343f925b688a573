import { assertMethodOptions, buildMethods } from '../build-methods.js';
import type { RunConfig } from '../config-schema.js';

/**
 * Whether a run's methods ask for a teacher of each modality.
 *
 * @throws {OptionError} If a method is unknown, or an option is missing or wrong.
 */
export async function needsTeachers(config: RunConfig): Promise<boolean> {
  assertMethodOptions(config);
  const methods = await buildMethods(config);
  return methods.some(({ needs }) => needs?.teachers === 'unimodal');
}

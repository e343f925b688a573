import type { MultimodalDataset } from '@g2d/core';
import { assertMethodOptions, buildMethods } from '../build-methods.js';
import type { RunConfig } from '../config-schema.js';

/**
 * Whether a run's methods ask for teachers. What they take from the data, or from the teachers' answers, does not decide it.
 *
 * @throws {OptionError} If a method is not known, or an option is missing or wrong.
 */
export async function needsTeachers(config: RunConfig): Promise<boolean> {
  assertMethodOptions(config);
  const methodOptions = { ...config.methodOptions };
  if (methodOptions.smp) {
    const { ranking: _, ...smp } = methodOptions.smp;
    methodOptions.smp = smp;
  }
  const methods = await buildMethods(
    { ...config, methodOptions },
    {
      data: { train: { task: 'classification' } as MultimodalDataset<string> },
      teachers: () => Promise.reject(new Error('The teachers are not trained yet.')),
    },
  );
  return methods.some(({ teachers }) => teachers === 'unimodal');
}

/** Settings of how modalities are trained together: a teacher does not depend on them. */
const OF_METHOD = ['method', 'methodOptions', 'fusion', 'teacherOutputs', 'teacherPrecision', 'teachers'];

/** Whether a key, with dots, is of how modalities are trained together. */
export const isOfMethod = (key: string): boolean => OF_METHOD.includes(key.split('.')[0] as string);

/**
 * Whether a key, with dots, is of a modality that is none of these: `encoders.audio.type`, `optimizer.learningRates.head/audio`. The fusion
 * is every run's.
 */
export function isOfOthers(key: string, modalities: readonly string[]): boolean {
  const [, of] = /^(?:encoders|data\.augment|optimizer\.learningRates)\.(?:head\/)?([^.]+)/.exec(key) ?? [];
  return of !== undefined && of !== 'fusion' && !modalities.includes(of);
}

import { OptionError, perModality, type EpochRecord, type PerModality } from '@g2d/core';

/**
 * The validation loss of each modality after an epoch.
 *
 * @throws {OptionError} If one is missing or no number.
 */
export function validationLosses<M extends string>(
  method: string,
  { epoch, metrics }: EpochRecord,
  modalities: readonly M[],
): PerModality<M, number> {
  return perModality(modalities, (modality) => {
    const loss = metrics?.validation?.[modality]?.loss;
    if (loss !== undefined && Number.isFinite(loss)) return loss;
    throw new OptionError(
      `${method} needs the validation loss of ${modalities.join(', ')} after every epoch, but epoch ${epoch} has none of ${modality}. Evaluate every epoch on the validation split.`,
      { option: 'evaluate', value: metrics, accepted: 'validation metrics after every epoch' },
    );
  });
}

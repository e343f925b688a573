import { OptionError } from '@g2d/core';
import type { OpenedRun } from './open-run.js';

/**
 * Checks that the batches of every epoch are large enough for the model's batch normalization, as far as it follows from the sizes: which
 * samples lack a modality turns out step by step.
 *
 * @throws {OptionError} If the last one, or every one, is too small.
 */
export function checkBatches({ model, data, plan }: Pick<OpenedRun, 'model' | 'data' | 'plan'>): void {
  const { batchSize, data: settings } = plan.config;
  const { size } = data.train;
  const rest = settings.dropLast ? 0 : size % batchSize;
  const smallest = rest > 0 ? rest : batchSize;
  const modality = model.modalities.find((name) => smallest < (model.minRows[name] as number));
  if (modality === undefined) return;
  const why = `batch normalization of ${modality} has one value of a sample in each channel, and one value has no variance`;
  if (rest > 0 && batchSize > 1) {
    throw new OptionError(
      `The training split has ${size} samples, so that batches of ${batchSize} leave one of a single sample at the end of every epoch; ${why}. Set "data.dropLast" to true, or another "batchSize".`,
      {
        option: 'data.dropLast',
        value: false,
        accepted: `true, or a "batchSize" that leaves no single sample of ${size}`,
      },
    );
  }
  throw new OptionError(`"batchSize" is ${batchSize}; ${why}. Set it to 2 or more.`, {
    option: 'batchSize',
    value: batchSize,
    accepted: 'a whole number of at least 2',
  });
}

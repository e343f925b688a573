import { OptionError, type Batch } from '@g2d/core';
import type * as tf from '@tensorflow/tfjs-core';

/**
 * A modality's input with what its mask hides.
 *
 * @throws {OptionError} If the batch has none, as a modality's may have that all of its samples lack: there is nothing to learn from.
 */
export function completeInput<M extends string>({ inputs }: Batch<M>, modality: M): tf.Tensor {
  const input = inputs[modality] as tf.Tensor | undefined;
  if (input) return input;
  throw new OptionError(
    `A method that learns from the true inputs of what masks hide got a batch without any input of ${modality}. Give batches of \`missingModalities\` with \`inputs: "complete"\`, or leave the batch out.`,
    { option: `inputs.${modality}`, value: undefined, accepted: 'the complete inputs of every modality' },
  );
}

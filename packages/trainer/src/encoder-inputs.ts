import type * as tf from '@tensorflow/tfjs-core';
import type { Batch } from '@g2d/datasets';
import type { EncoderInput, MultimodalModel } from '@g2d/fusion';
import { OptionError, perModality } from '@g2d/core';

/**
 * A batch's inputs as a model's encoders take them, of the modalities that the batch has: with the padding mask where an encoder wants one, as
 * `transformer({ paddingMask: true })` does.
 *
 * @throws {OptionError} If an encoder takes a mask and the batch has none for its modality.
 */
export function encoderInputs<M extends string>(
  { modalities, inputShapes }: Pick<MultimodalModel<M>, 'modalities' | 'inputShapes'>,
  { inputs, masks }: Pick<Batch<M>, 'inputs' | 'masks'>,
): Partial<Record<M, EncoderInput>> {
  const given = modalities.filter((modality) => inputs[modality] as tf.Tensor | undefined);
  return perModality<M, EncoderInput>(given, (modality) => {
    if (inputShapes[modality].length === 1) return inputs[modality];
    const mask = masks?.[modality];
    if (mask) return [inputs[modality], mask];
    throw new OptionError(
      `The encoder for ${modality} takes a padding mask, but the batch has none: a dataset gives masks for modalities of free length.`,
      { option: 'masks', value: undefined, accepted: 'a mask [B, T]' },
    );
  });
}

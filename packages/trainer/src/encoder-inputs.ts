import type { Batch } from '@g2d/datasets';
import type { EncoderInput, MultimodalModel } from '@g2d/fusion';
import { OptionError, perModality, type PerModality } from '@g2d/tensor-ops';

/**
 * A batch's inputs as a model's encoders take them: with the padding mask where an encoder wants one, as
 * `transformer({ paddingMask: true })` does.
 *
 * @throws {OptionError} If an encoder takes a mask and the batch has none for its modality.
 */
export function encoderInputs<M extends string>(
  { modalities, inputShapes }: Pick<MultimodalModel<M>, 'modalities' | 'inputShapes'>,
  { inputs, masks }: Pick<Batch<M>, 'inputs' | 'masks'>,
): PerModality<M, EncoderInput> {
  return perModality<M, EncoderInput>(modalities, (modality) => {
    if (inputShapes[modality].length === 1) return inputs[modality];
    const mask = masks?.[modality];
    if (mask) return [inputs[modality], mask];
    throw new OptionError(
      `The encoder for ${modality} takes a padding mask, but the batch has none: a dataset gives masks for modalities of free length.`,
      { option: 'masks', value: undefined, accepted: 'a mask [B, T]' },
    );
  });
}

import { ones, zeros, type Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { OptionError, ShapeError, type Inputs } from '@g2d/core';

/** What an encoder takes: `[B, …]`, or several in the order of its inputs, such as a sequence and its padding mask. */
export type EncoderInput = Tensor | readonly Tensor[];

/** A shape whose batch is free, for a message: `[B, 257, 188, 1]`. */
const written = (shape: readonly (number | null)[]): string =>
  `[${['B', ...shape.slice(1).map((size) => size ?? 'any')].join(', ')}]`;

/** Throws unless an encoder gives features of the fusion's width. */
export function assertEncoder(modality: string, { outputs }: LayersModel, width: number): void {
  const features = outputs[0]?.shape as (number | null)[];
  if (outputs.length === 1 && features.length === 2 && features[1] === width) return;
  const actual = outputs.map(({ shape }) => written(shape)).join(' and ');
  throw new OptionError(
    `The encoder for ${modality} gives ${actual}, but the fusion needs features [B, ${width}] and nothing else. Give the fusion the encoder's width.`,
    { option: 'encoders', value: actual, accepted: `features [B, ${width}]` },
  );
}

/**
 * The tensors of an encoder's input, in the order of its inputs.
 *
 * @throws {OptionError} If there are more or fewer than the encoder takes.
 * @throws {ShapeError} If one is not of the shape that the encoder was made for.
 */
export function inputTensors(
  modality: string,
  { inputs, inputNames }: LayersModel,
  input: EncoderInput,
): readonly Tensor[] {
  const given: readonly Tensor[] = isList(input) ? input : [input];
  if (given.length !== inputs.length) {
    const names = inputNames.join(', ');
    throw new OptionError(
      `The encoder for ${modality} takes ${inputs.length} (${names}), but got ${given.length} tensor${given.length === 1 ? '' : 's'}. Give one for each, in this order.`,
      { option: `inputs.${modality}`, value: given.length, accepted: names },
    );
  }
  named(modality, given).forEach(({ name: argument, tensor: { shape } }, i) => {
    const expected = inputs[i]?.shape as (number | null)[];
    const fits =
      shape.length === expected.length &&
      expected.every((size, axis) => axis === 0 || size === null || size === shape[axis]);
    if (!fits) throw new ShapeError({ argument, expected: written(expected), actual: shape });
  });
  return given;
}

// `Array.isArray` does not narrow to read-only lists.
const isList = (input: EncoderInput): input is readonly Tensor[] => Array.isArray(input);

/**
 * What a batch has for an encoder: the input, with its padding mask where the encoder takes one, as `transformer({ paddingMask: true })`
 * does; nothing where the batch lacks the modality.
 *
 * @throws {OptionError} If the encoder takes a mask and the batch has none.
 */
export function encoderInput<M extends string>(
  modality: M,
  { inputs: taken }: LayersModel,
  { inputs, masks }: Inputs<M>,
): EncoderInput | undefined {
  const input = inputs[modality];
  if (!input || taken.length === 1) return input;
  const padding = masks?.[modality];
  if (padding) return [input, padding];
  throw new OptionError(
    `The encoder for ${modality} takes a padding mask, but the batch has none: a dataset gives masks for modalities of free length.`,
    { option: 'masks', value: undefined, accepted: 'a mask [B, T]' },
  );
}

/**
 * What an encoder gets of samples whose input is zeros: as datasets have it of a modality that is missing, one step where the length is free, which its
 * padding mask calls a real one.
 */
export const zeroInputs = ({ inputs }: LayersModel, samples: number): readonly Tensor[] =>
  inputs.map(({ shape: [, ...sizes] }, i) =>
    (i === 0 ? zeros : ones)([samples, ...sizes.map((size) => size ?? 1)]),
  );

/** A tensor of a pass and what it is called in messages. */
export interface NamedTensor {
  readonly name: string;
  readonly tensor: Tensor;
}

/** An encoder's tensors as they are called in messages: `audio`, or `text[0]` and `text[1]`. */
export const named = (modality: string, tensors: readonly Tensor[]): NamedTensor[] =>
  tensors.map((tensor, i) => ({ name: tensors.length > 1 ? `${modality}[${i}]` : modality, tensor }));

/**
 * A presence mask, if there is one.
 *
 * @throws {ShapeError} If it is not `[B]`.
 */
export function mask(modality: string, present: Tensor | undefined): NamedTensor[] {
  if (!present) return [];
  const name = `present.${modality}`;
  if (present.shape.length === 1) return [{ name, tensor: present }];
  throw new ShapeError({ argument: name, expected: '[B]', actual: present.shape });
}

/**
 * How many samples the tensors of a pass have in common.
 *
 * @throws {ShapeError} If they are not equally many.
 */
export function commonBatch([first, ...others]: readonly NamedTensor[]): number {
  if (!first) return 0;
  const batch = first.tensor.shape[0] as number;
  for (const { name, tensor } of others) {
    if (tensor.shape[0] === batch) continue;
    throw new ShapeError({
      argument: name,
      expected: `[${[batch, ...tensor.shape.slice(1)].join(', ')}], as many samples as \`${first.name}\` has`,
      actual: tensor.shape,
    });
  }
  return batch;
}

import { layers, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { accelerate } from '@g2d/accelerate';
import { OptionError, shown } from '@g2d/core';
import { assertPositiveInteger } from './encoder.js';
import { initializeLayer } from './initialize-weights.js';

/**
 * An encoder with a linear head: a teacher.
 *
 * u = W f + b. Takes the encoder's input and gives `[logits, features]`: `[B, C]` and `[B, D]`.
 *
 * The encoder's weights are shared, not copied, and stay as they are. The head is called `<name>/classifier` after the
 * encoder's name, and begins with Xavier normal weights.
 *
 * @param encoder Any model with one output `[B, D]`.
 * @param options `classes`: C, or 1 for a regression. `seed`: of the head's initial weights.
 * @throws {OptionError} If `classes` is not a positive integer.
 * @example
 * const audio = resnet18({ name: 'audio', inputShape: [257, 188, 1], seed: 1 });
 * const teacher = unimodalClassifier(audio, { classes: 6, seed: 1 });
 * const [logits, features] = teacher.apply(spectrograms, { training: false });
 * @see G2D, Sec. 3.1; released code, `models/basic_model.py`
 */
export function unimodalClassifier(
  encoder: LayersModel,
  { classes, seed }: { readonly classes: number; readonly seed: number },
): LayersModel {
  assertPositiveInteger('classes', classes);
  const [output, ...others] = encoder.outputs;
  if (others.length > 0 || output?.shape.length !== 2) {
    throw new OptionError(
      `The encoder ${encoder.name} has outputs of shape ${shown(encoder.outputs.map(({ shape }) => shape))}; expected one feature vector [B, D].`,
      { option: 'encoder', value: encoder.name, accepted: 'a model with one output [B, D]' },
    );
  }
  const head = layers.dense({ name: `${encoder.name}/classifier`, units: classes });
  const features: SymbolicTensor = output;
  const logits = head.apply(features) as SymbolicTensor;
  initializeLayer(head, seed);
  return accelerate(
    model({ name: `${encoder.name}/unimodal`, inputs: encoder.inputs, outputs: [logits, features] }),
  );
}

import type { MultimodalModel } from '@g2d/fusion';
import { OptionError, perModality, type NamedArray, type PerModality, type Training } from '@g2d/core';
import { readState, writeState } from '@g2d/trainer';

/**
 * Copies trained encoders into a model: weights and running statistics. Its heads stay.
 *
 * @param model Changed in place.
 * @param saved For each modality what `readState` gives of a model that has its encoder, such as the modality's teacher; the same joint
 * model's for all of them. What else is in it is not looked at.
 * @throws {OptionError} If an encoder's variable is not there. Nothing is changed then.
 * @throws {ShapeError} If one has another shape. Nothing is changed then.
 * @example
 * copyEncoders(model, { audio: readState(audioTeacher), image: readState(imageTeacher) });
 */
export function copyEncoders<M extends string>(
  model: MultimodalModel<M>,
  saved: PerModality<M, Readonly<Record<string, NamedArray>>>,
): void {
  const state = readState(model);
  for (const modality of model.modalities) {
    const own = Object.keys(state).filter((name) => name.startsWith(`${modality}/`));
    if (own.length === 0) {
      throw new OptionError(
        `No variable of the model begins with "${modality}/", so there is nothing to copy for ${modality}. Name an encoder's layers after its modality, such as "${modality}/conv1".`,
        { option: 'model', value: Object.keys(state), accepted: `variables called "${modality}/…"` },
      );
    }
    for (const name of own) {
      const copied = saved[modality]?.[name];
      if (!copied) {
        throw new OptionError(
          `There is no "${name}" in what was saved for ${modality}. Copy from a model with the same encoder.`,
          { option: 'saved', value: Object.keys(saved[modality] ?? {}), accepted: name },
        );
      }
      state[name] = copied;
    }
  }
  writeState(model, state);
}

/** Copies the teachers' encoders into the model of a training, and their heads where the model has some of the same names. */
export function copyTeachers<M extends string>({ model: given, teachers }: Training<M>): void {
  const model = given as MultimodalModel<M>;
  const saved = perModality(model.modalities, (m) => readState(teachers.unimodal(m)));
  copyEncoders(model, saved);
  const state = readState(model);
  for (const m of model.modalities)
    for (const [name, head] of Object.entries<NamedArray>(saved[m]))
      if (name.startsWith(`head/${m}/`) && state[name]) state[name] = head;
  writeState(model, state);
}

import { OptionError, type Method, type Model } from '@g2d/core';
import { assertParts, partsOf } from '@g2d/tensor-ops';

/**
 * What the setting `freeze` does, as a method: these parts stay as they are, bit for bit, whatever the others do. Encoders run in
 * inference mode, so that their running statistics stay too.
 *
 * @throws {OptionError} If the model has no such part, or no other.
 */
export function frozenParts<M extends string>(names: readonly string[], model: Model<M>): Method<M> {
  assertParts(model, names, 'freeze');
  const isFrozen = (parts: readonly string[]): boolean => parts.some((part) => names.includes(part));
  if (model.parameters.every((parameter) => isFrozen(partsOf(parameter)))) {
    throw new OptionError(
      `\`freeze\` names every part of the model, ${names.join(', ')}: nothing would train.`,
      {
        option: 'freeze',
        value: names,
        accepted: 'some of the parts',
      },
    );
  }
  return {
    name: 'freeze',
    plan: () => ({
      coefficient: (parameter) => (isFrozen(partsOf(parameter)) ? null : 1),
      inference: (modality) => names.includes(modality),
    }),
  };
}

import { OptionError, type Model, type Parameter } from '@g2d/core';

// Parts of a model, as settings name them: a modality is its encoder, `head/<modality>` what of the fusion serves it alone, and `fusion`
// all heads and what is shared.

const FUSION = 'fusion';

/** The names of the parts that a parameter is in, the narrowest first. */
export function partsOf<M extends string>({ modality, role }: Parameter<M>): readonly string[] {
  if (modality === undefined) return [FUSION];
  return role === 'head' ? [`head/${modality}`, FUSION] : [modality];
}

/** @throws {OptionError} If the model has no part of one of these names. */
export function assertParts<M extends string>(
  { parameters }: Model<M>,
  names: readonly string[],
  option: string,
): void {
  const known = [...new Set(parameters.flatMap(partsOf))];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new OptionError(
    `\`${option}\` names "${unknown}", but the model has no such part to train. Its parts are ${known.join(', ')}.`,
    { option, value: unknown, accepted: known.join(', ') },
  );
}

/** The network that a parameter belongs to: a modality's encoder, or the first two words of its name, such as `fusion/classifier`. */
export const networkOf = <M extends string>({ modality, role, name }: Parameter<M>): string =>
  modality !== undefined && role !== 'head' ? modality : name.split('/').slice(0, 2).join('/');

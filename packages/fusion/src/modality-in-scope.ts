import { OptionError, type Model, type Parameter } from '@g2d/core';

/** Which variables of a modality a method acts on. */
export type ParameterScope = 'conv' | 'encoder' | 'encoder+head';

const ROLES: Readonly<Record<ParameterScope, readonly Parameter<string>['role'][]>> = {
  conv: ['conv'],
  encoder: ['conv', 'norm', 'encoder'],
  'encoder+head': ['conv', 'norm', 'encoder', 'head'],
};

/**
 * The modality that a variable belongs to within a scope.
 *
 * @param scope `'conv'`: convolution kernels (over two axes) of the encoders. `'encoder'`: all of an encoder. `'encoder+head'`: also the
 * layers of the fusion that serve one modality alone.
 * @returns For a variable's name its modality; `undefined` for variables that are shared or out of the scope.
 * @throws {OptionError} If the scope is unknown, or contains no variable of some modality: a method would silently do
 * nothing to it.
 * @example
 * const modalityOf = modalityInScope(model, 'conv');
 * modalityOf('audio/conv1/kernel'); // 'audio'
 * modalityOf('audio/bn1/gamma'); // undefined
 */
export function modalityInScope<M extends string>(
  { modalities, parameters }: Pick<Model<M>, 'modalities' | 'parameters'>,
  scope: ParameterScope,
): (variableName: string) => M | undefined {
  const accepted = Object.keys(ROLES).join(', ');
  const roles = ROLES[scope];
  if (!roles) {
    throw new OptionError(`There is no scope "${String(scope)}". Use one of ${accepted}.`, {
      option: 'scope',
      value: scope,
      accepted,
    });
  }
  const owners = new Map(
    parameters
      .filter(({ role }) => roles.includes(role))
      .map(({ variable, modality }) => [variable.name, modality] as const),
  );
  const has = (modality: M, role: Parameter<M>['role']): boolean =>
    parameters.some((parameter) => parameter.modality === modality && parameter.role === role);
  for (const modality of modalities) {
    if (scope === 'encoder+head' && !has(modality, 'head')) {
      throw new OptionError(
        `The scope "encoder+head" contains no head of ${modality}: the model's fusion is shared by all modalities. Use "encoder".`,
        { option: 'scope', value: scope, accepted },
      );
    }
    if (![...owners.values()].includes(modality)) {
      throw new OptionError(
        `The scope "${scope}" contains no variable of ${modality}, so suppressing it would change nothing. Use "encoder" for encoders without convolutions.`,
        { option: 'scope', value: scope, accepted },
      );
    }
  }
  return (variableName) => owners.get(variableName);
}

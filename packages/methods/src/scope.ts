import { OptionError, type Model, type Parameter } from '@g2d/core';
import { z } from 'zod';

const ROLES = {
  conv: ['conv'],
  encoder: ['conv', 'norm', 'encoder'],
  'encoder+head': ['conv', 'norm', 'encoder', 'head'],
} as const satisfies Readonly<Record<string, readonly Parameter<string>['role'][]>>;

/** Which parameters of a modality a method acts on. */
type Scope = keyof typeof ROLES;

const SCOPES = Object.keys(ROLES) as [Scope, ...Scope[]];

export const scopeOption = z
  .enum(SCOPES)
  .default('conv')
  .describe(
    "what is acted on: the encoders' convolution kernels alone, as in the released code; all of an encoder; or the modality's head too",
  );

/** The modality whose parameter it is within a scope; `undefined` for what is shared or out of the scope. */
export const inScope = <M extends string>({ modality, role }: Parameter<M>, scope: Scope): M | undefined =>
  (ROLES[scope] as readonly string[]).includes(role) ? modality : undefined;

/** @throws {OptionError} If the scope contains no parameter of some modality: a method would silently do nothing to it. */
export function assertScope<M extends string>({ modalities, parameters }: Model<M>, scope: Scope): void {
  const refuse = (message: string): never => {
    throw new OptionError(message, { option: 'scope', value: scope, accepted: SCOPES.join(', ') });
  };
  for (const modality of modalities) {
    const own = parameters.filter((parameter) => parameter.modality === modality);
    if (scope === 'encoder+head' && !own.some(({ role }) => role === 'head')) {
      refuse(
        `The scope "encoder+head" contains no head of ${modality}: the model's fusion is shared by all modalities. Use "encoder".`,
      );
    }
    if (!own.some((parameter) => inScope(parameter, scope) !== undefined)) {
      refuse(
        `The scope "${scope}" contains no variable of ${modality}, so suppressing it would change nothing. Use "encoder" for encoders without convolutions.`,
      );
    }
  }
}

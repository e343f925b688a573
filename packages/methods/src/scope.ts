import type { Needs, Parameter } from '@g2d/core';
import { z } from 'zod';

const ROLES = {
  conv: ['conv'],
  encoder: ['conv', 'norm', 'encoder'],
  'encoder+head': ['conv', 'norm', 'encoder', 'head'],
} as const satisfies Readonly<Record<string, readonly Parameter<string>['role'][]>>;

/** Which parameters of a modality a method acts on. */
type Scope = keyof typeof ROLES;

const SCOPES = Object.keys(ROLES) as [Scope, ...Scope[]];

/** @param byDefault The released code's choice, or the paper's. */
export const scopeOption = (byDefault: Scope) =>
  z
    .enum(SCOPES)
    .default(byDefault)
    .describe(
      "what is acted on: the encoders' convolution kernels alone, as in the released code; all of an encoder; or the modality's head too",
    );

/** The modality whose parameter it is within a scope; `undefined` for what is shared or out of the scope. */
export const inScope = <M extends string>({ modality, role }: Parameter<M>, scope: Scope): M | undefined =>
  (ROLES[scope] as readonly string[]).includes(role) ? modality : undefined;

/** The parameters that every modality must have for a scope: without them a method would do nothing to it. */
export const scopeNeeds = (scope: Scope): { readonly parameters: NonNullable<Needs['parameters']> } => ({
  parameters: scope === 'encoder+head' ? ['head'] : ROLES[scope],
});

import type * as tf from '@tensorflow/tfjs-core';
import { assertOneOf, wrongOption } from './checks.js';
import type { ModalityOf } from './modality-of.js';

/** What of a modality κ touches, see `SmpOptions.scope`. */
export type Scope = 'conv' | 'encoder' | 'encoder+head';

/** A scope with what assigns variables to modalities. */
export interface ScopeOptions<M extends string> {
  readonly scope: Scope;
  readonly modalities: readonly M[];
  readonly modalityOf: ModalityOf<M>;
  readonly headOf?: ModalityOf<M> | undefined;
}

/** The modality whose κ applies to a variable; `undefined` for variables that are shared or out of the scope. */
export function scopedModality<M extends string>(
  variable: tf.Variable,
  { scope, modalities, modalityOf, headOf }: ScopeOptions<M>,
): M | undefined {
  if (scope === 'conv' && variable.rank !== 4) return undefined;
  const modality = modalityOf(variable.name) ?? headOf?.(variable.name);
  if (modality !== undefined) assertOneOf(`modalityOf("${variable.name}")`, modality, modalities);
  return modality;
}

/**
 * Throws unless the scope holds variables of every modality: suppressing one without would silently be plain training.
 *
 * @throws {OptionError} That says which modality, and what the variables' names begin with.
 */
export function assertScope<M extends string>(
  variables: readonly tf.Variable[],
  options: ScopeOptions<M>,
): void {
  const { scope, modalities, modalityOf, headOf } = options;
  for (const of of [modalityOf, headOf]) {
    if (!of) continue;
    const only = { scope, modalities, modalityOf: of };
    const owners = variables.map((variable) => scopedModality(variable, only));
    const missing = modalities.find((modality) => !owners.includes(modality));
    if (missing === undefined) continue;
    const starts = [...new Set(variables.map(({ name }) => name.replace(/\/.*/, '/')))].slice(0, 12);
    const kind = of === headOf ? 'head' : scope === 'conv' ? 'convolution kernel' : 'variable';
    throw wrongOption('variables', starts, `a ${kind} of ${missing}`);
  }
}

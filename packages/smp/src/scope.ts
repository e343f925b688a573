import type * as tf from '@tensorflow/tfjs-core';
import { OptionError, UnknownModalityError } from '@g2d/core';
import type { ModalityOf } from './modality-of.js';

/** What of a modality κ touches, see `SmpOptions.scope`. */
export type Scope = 'conv' | 'encoder' | 'encoder+head';

/** A scope with what assigns variables to modalities. */
export interface ScopeOptions<M extends string> {
  readonly scope: Scope;
  readonly modalities: readonly M[];
  readonly modalityOf: ModalityOf<M>;
  readonly headOf: ModalityOf<M> | undefined;
}

/** The modality whose κ applies to a variable; `undefined` for variables that are shared or out of the scope. */
export function scopedModality<M extends string>(
  variable: tf.Variable,
  { scope, modalities, modalityOf, headOf }: ScopeOptions<M>,
): M | undefined {
  if (scope === 'conv' && variable.rank !== 4) return undefined;
  const modality = modalityOf(variable.name) ?? headOf?.(variable.name);
  if (modality === undefined || modalities.includes(modality)) return modality;
  throw new UnknownModalityError({ modality, known: modalities, where: '`modalities`' });
}

/**
 * Throws unless the scope holds variables of every modality: suppressing one without would silently be plain training.
 *
 * @throws {OptionError} That says which modality, and what the variables' names begin with.
 * @throws {UnknownModalityError} If a variable is of another modality.
 */
export function assertScope<M extends string>(
  variables: readonly tf.Variable[],
  options: ScopeOptions<M>,
): void {
  const { scope, modalities, modalityOf, headOf } = options;
  for (const of of [modalityOf, headOf]) {
    if (!of) continue;
    const only = { ...options, modalityOf: of, headOf: undefined };
    const counts = modalities.map(
      (modality) => variables.filter((variable) => scopedModality(variable, only) === modality).length,
    );
    const missing = modalities[counts.indexOf(0)];
    if (missing === undefined) continue;
    const found = modalities.map(
      (modality, i) => `${of.prefixes?.[modality] ?? modality} (${counts[i]}${i > 0 ? '' : ' variables'})`,
    );
    const starts = [...new Set(variables.map(({ name }) => name.replace(/\/.*/, '/')))].slice(0, 12);
    const message = `No ${of === headOf ? 'head ' : ''}variable${scope === 'conv' ? ' with four axes (scope "conv")' : ''} matches modality "${missing}".`;
    throw new OptionError(
      `${message} ${of.prefixes ? 'Prefixes' : 'Modalities'}: ${found.join(', ')}. Variable names start with: ${starts.join(', ')}.`,
      { option: 'variables', value: missing, accepted: message },
    );
  }
}

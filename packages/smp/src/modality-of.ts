import { OptionError, type PerModality } from '@g2d/core';

/**
 * The modality whose factor κ applies to a variable, by the variable's name; `undefined` for variables that are never
 * suppressed. Any function will do; `byPrefix` makes one that also knows its modalities and can explain itself.
 */
export interface ModalityOf<M extends string> {
  (variable: string): M | undefined;
  /** All modalities that it can answer with. Where they are given, nobody has to list them again. */
  readonly modalities?: readonly M[];
  /** For messages: what the names of each modality's variables begin with. */
  readonly prefixes?: PerModality<M, string>;
}

/**
 * Assigns variables to modalities by the beginning of their names.
 *
 * @param prefixes For each modality, what the names of its variables begin with. Name layers `audio/conv1`, and
 * TensorFlow.js calls the variable `audio/conv1/kernel`.
 * @throws {OptionError} If a prefix is empty, or one begins with another, so that a variable would have two modalities.
 * @example
 * byPrefix({ audio: 'audio/', video: 'video/' })('audio/conv1/kernel'); // 'audio'
 */
export function byPrefix<const M extends string>(prefixes: Readonly<Record<M, string>>): ModalityOf<M> {
  const entries = Object.entries(prefixes) as [M, string][];
  for (const [modality, prefix] of entries) {
    const other = entries.find(([name, start]) => name !== modality && prefix.startsWith(start));
    if (prefix === '' || other) {
      throw new OptionError(
        `The prefix "${prefix}" of ${modality} ${other ? `begins with "${other[1]}", the prefix of ${other[0]}` : 'is empty'}.`,
        { option: 'prefixes', value: prefix, accepted: 'distinct beginnings' },
      );
    }
  }
  const modalityOf = (variable: string): M | undefined =>
    entries.find(([, prefix]) => variable.startsWith(prefix))?.[0];
  return Object.assign(modalityOf, { modalities: Object.keys(prefixes) as M[], prefixes });
}

import { OptionError } from './errors.js';

/** What stands beside the modalities in tables, logs and names of variables, or is a part of every object of JavaScript. */
const TAKEN = ['fused', 'total', 'head', 'fusion'];

const isLegal = (name: unknown): boolean =>
  typeof name === 'string' &&
  /^(?!\d+$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name) &&
  !TAKEN.includes(name) &&
  !(name in {});

/**
 * Refuses names that a modality cannot have. They begin the names of layers, which TensorFlow.js restricts to these letters, and those of
 * files; they are keys of objects, where whole numbers would change their order.
 *
 * @param where What names them, for the error.
 * @throws {OptionError} If there is no modality, or one has a name that is none or comes twice.
 * @example
 * assertModalityNames(['audio', 'front-camera'], 'The model');
 */
export function assertModalityNames(names: readonly string[], where: string): void {
  const refuse = (problem: string, value: unknown, accepted: string): never => {
    throw new OptionError(`${where} ${problem}`, { option: 'modalities', value, accepted });
  };
  if (names.length === 0) refuse('has no modality.', names, 'one modality or more');
  for (const [i, name] of names.entries()) {
    if (!isLegal(name)) {
      const accepted = `letters from a to z, digits, ".", "_" and "-", 64 at most, the first a letter or a digit; not a number alone, and not ${TAKEN.join(', ')} or a word that every object has`;
      refuse(`calls a modality ${JSON.stringify(name)}; a name is made of ${accepted}.`, name, accepted);
    }
    if (names.indexOf(name) < i)
      refuse(`names the modality "${name}" twice; leave one out.`, name, 'distinct names');
  }
}

import { OptionError } from './errors.js';

/**
 * Whether a modality can be called so. Its name begins the names of layers, which TensorFlow.js restricts to these letters, and those of
 * files; it is a key of objects, where whole numbers would change the order; `fused` and the like stand beside the modalities' own.
 */
export const isModalityName = (name: unknown): boolean =>
  typeof name === 'string' &&
  /^(?!(\d+|fused|total|head|fusion)$)[a-z\d][\w.-]{0,63}$/i.test(name as string) &&
  !((name as string) in {});

/**
 * Refuses names that a modality cannot have.
 *
 * @param where What names them, for the error.
 * @throws {OptionError} If there is no modality, or one has a name that is none or comes twice.
 * @example
 * assertModalityNames(['audio', 'front-camera'], 'The model');
 */
export function assertModalityNames(names: readonly string[], where: string): void {
  const accepted =
    'letters a to z, digits, ".", "_" and "-", 64 at most, beginning with a letter or digit; not fused, total, head, fusion, a number, or what every object has';
  const refuse = (problem: string, value: unknown, accepted: string): never => {
    throw new OptionError(`${where} ${problem}`, { option: 'modalities', value, accepted });
  };
  if (names.length === 0) refuse('has no modality.', names, 'one modality or more');
  for (const [i, name] of names.entries()) {
    if (!isModalityName(name))
      refuse(`calls a modality ${JSON.stringify(name)}; a name is ${accepted}.`, name, accepted);
    if (names.indexOf(name) < i)
      refuse(`names the modality "${name}" twice; leave one out.`, name, 'distinct names');
  }
}

import { OptionError } from './errors.js';

/** Every key of an options object, of each of its forms. The compiler keeps it complete: there is no second list to go stale. */
export type KnownKeys<T> = { readonly [K in T extends unknown ? keyof T : never]: true };

/**
 * Refuses an option that does not exist: plain JavaScript has no types, and a misspelt option would change nothing in silence. For options
 * without a schema; `checkOptions` is for those that have one.
 *
 * @param options As the caller wrote them.
 * @param place The function that they were handed to.
 * @returns The same options.
 * @throws {OptionError} If they are no object, or have another key; the message names the nearest one.
 * @example
 * interface ReadOptions { readonly batchSize?: number }
 * const read = (options: ReadOptions = {}) => {
 *   const { batchSize = 16 } = checkKeys(options, { batchSize: true }, 'read');
 * };
 * read({ batchsize: 3 }); // read: there is no option `batchsize`; known: batchSize. Did you mean `batchSize`?
 */
export function checkKeys<T extends object>(options: T, known: NoInfer<KnownKeys<T>>, place: string): T {
  const keys = Object.keys(known);
  const refuse = (message: string, option: string, value: unknown): never => {
    throw new OptionError(message, { option, value, accepted: keys.join(', ') });
  };
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const came = Array.isArray(options) ? 'a list' : typeof options === 'string' ? `"${options}"` : options;
    return refuse(`${place}: options are an object, but ${String(came)} came.`, '', options);
  }
  const wrong = Object.keys(options).find((key) => !Object.hasOwn(known, key));
  if (wrong === undefined) return options;
  const { name } = (Object.getPrototypeOf(options) as object | null)?.constructor ?? Object;
  return refuse(
    name === 'Object'
      ? unknownOption(place, wrong, keys)
      : `${place}: options are a plain object with ${keys.join(', ')}, but an object of the class ${name} came.`,
    wrong,
    options[wrong as keyof T],
  );
}

/** The sentence about an option that does not exist. */
export function unknownOption(place: string, key: string, known: readonly string[]): string {
  const near = nearest(key.replace(/.*\./, ''), known);
  const hint = near === undefined ? '' : ` Did you mean \`${near}\`?`;
  return `${place}: there is no option \`${key}\`; known: ${known.join(', ') || 'none'}.${hint}`;
}

/** The known word that a misspelt one is near to; `undefined` if none is. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  const distances = known.map((other) => editDistance(plain(word), plain(other)));
  const least = Math.min(...distances);
  return least <= Math.max(1, word.length / 4) ? known[distances.indexOf(least)] : undefined;
}

/** Letters to put in, take out or replace to make one word of the other (Levenshtein). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...from].entries()) {
    const above = row;
    row = [i + 1];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (above[j - 1] as number) + (letter === to[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (above[j] as number) + 1, (row[j - 1] as number) + 1));
    }
  }
  return row[to.length] as number;
}

/**
 * What an object has at a key, and never what every object inherits: names of a user's own, such as those of methods, variables and
 * columns, may be called `constructor` or `toString`.
 *
 * @example
 * ownValue({ a: 1 }, 'a'); // 1
 * ownValue({ a: 1 }, 'constructor'); // undefined
 */
export const ownValue = <T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined =>
  record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;

/** A record with the same keys and other values. */
export const mapValues = <K extends string, T, U>(
  record: Readonly<Partial<Record<K, T>>>,
  change: (value: T, key: K) => U,
): Record<K, U> =>
  Object.fromEntries(
    Object.entries(record).map(([key, value]) => [key, change(value as T, key as K)]),
  ) as Record<K, U>;

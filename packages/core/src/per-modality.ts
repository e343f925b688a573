/** A value for every modality. */
export type PerModality<M extends string, T> = Readonly<Record<M, T>>;

/**
 * One value for each modality, in the order given.
 *
 * @example
 * perModality(['audio', 'video'], (modality) => modality.length); // { audio: 5, video: 5 }
 */
export function perModality<M extends string, T>(
  modalities: readonly M[],
  value: (modality: M) => T,
): Record<M, T> {
  return Object.fromEntries(modalities.map((modality) => [modality, value(modality)])) as Record<M, T>;
}

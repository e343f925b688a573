/** Options for a function of the user's that has not said which it takes. */
export interface WatchedOptions {
  /** The same keys and values. */
  readonly options: object;
  /** The keys that nobody has read so far. Whoever copies the object has read them all. */
  unread(): readonly string[];
}

/** Options that know which of them were read. Plain properties, so that they can be spread, cloned and written as JSON. */
export function watchedOptions(given: object): WatchedOptions {
  const options = {};
  const unread = new Set(Object.keys(given));
  for (const [key, first] of Object.entries(given)) {
    let value: unknown = first;
    Object.defineProperty(options, key, {
      enumerable: true,
      configurable: true,
      get() {
        unread.delete(key);
        return value;
      },
      set(changed: unknown) {
        value = changed;
      },
    });
  }
  return { options, unread: () => [...unread] };
}

/** What is said of options that a module has not read; a function cannot be asked which it takes. */
export const unreadNotes = (
  keys: readonly string[],
  { path, what }: { readonly path: string; readonly what: string },
): string[] =>
  keys.map(
    (key) =>
      `The module ${path}, which makes ${what}, has not read its option ${JSON.stringify(key)}: is it misspelt?`,
  );

/** Of parsed JSON: an optional key is there with a value, or not at all. */
type Defined<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [K in keyof T]: Defined<Exclude<T[K], undefined>> }
    : T;

/** A copy of settings in which what is not given is absent, at every depth: as options are expected to be. */
export const defined = <T extends object>(settings: T): Defined<T> =>
  JSON.parse(JSON.stringify(settings)) as Defined<T>;

/** What lies in a folder, next to what a dataset has as published. Plain data. */
export interface DatasetCheck {
  readonly dataset: string;
  readonly folder: string;
  readonly licence: string;
  readonly howToGet: string;
  /** What is counted → how many there are as published. */
  readonly expected: Readonly<Record<string, number>>;
  /** The same, as found. */
  readonly found: Readonly<Record<string, number>>;
  /** What is missing or broken, grouped by reason. */
  readonly problems: readonly { readonly reason: string; readonly ids: readonly string[] }[];
  /** Whether training on this folder is what was published. */
  readonly asPublished: boolean;
}

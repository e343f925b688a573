// What the page knows of the methods: plain data, made from their definitions when the page is built.

/** One option of a method that can be set on the page. */
export type Control = {
  /** In the address and in configurations: `g2d-loss.alpha`. */
  readonly key: string;
  /** The definition's own words. */
  readonly help: string;
} & (
  | {
      readonly kind: 'number';
      readonly default: number;
      /** Of what is a part of the training: the default for each number of epochs that can be set, the fewest first. */
      readonly byEpochs?: readonly number[];
      readonly min?: number;
      readonly max?: number;
      readonly whole: boolean;
    }
  | { readonly kind: 'choice'; readonly default: string; readonly choices: readonly string[] }
  | { readonly kind: 'flag'; readonly default: boolean }
  /** Epochs of the phases: how many the least confident modality has alone; the rest is for all. */
  | { readonly kind: 'phases'; readonly default: number }
);

/** A method of the list. */
export interface CatalogMethod {
  readonly name: string;
  readonly label: string;
  readonly summary: string;
  readonly formula: string;
  readonly paper: string;
  /** Names of the definitions that it is made of. */
  readonly parts: readonly string[];
  readonly teachers: boolean;
  /** Whether it reads the validation split. */
  readonly validation: boolean;
  readonly controls: readonly Control[];
  /** Options that are not on the page, by definition. */
  readonly fixed: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Widths of features that it needs. */
  readonly widths: Readonly<Record<string, number>>;
}

export type Catalog = readonly CatalogMethod[];

export const methodOf = (catalog: Catalog, name: string): CatalogMethod | undefined =>
  catalog.find((method) => method.name === name);

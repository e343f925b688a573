import { growth } from './growth.js';
import { comparisons, type Comparison } from './programs.js';

/** What `--only` takes: what is compared for a dataset. */
export const groups: Readonly<Record<string, (dataset: string) => readonly Comparison[]>> = {
  ...comparisons,
  growth,
};

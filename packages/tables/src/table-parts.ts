import type { TablePlan } from './plan/plan-table.js';
import type { KnownResults } from './results/known-results.js';

/** What a table is made from. */
export interface TableParts {
  readonly number: number;
  /** Of Table 7: runs have as many epochs as their phases together. */
  readonly literal?: boolean;
  readonly plan: TablePlan;
  readonly known: KnownResults;
  /** Datasets that are not there, with a sentence each. */
  readonly absent: ReadonlyMap<string, string>;
  /** Average runs of different versions. */
  readonly allowMixed: boolean;
  readonly command?: string | undefined;
}

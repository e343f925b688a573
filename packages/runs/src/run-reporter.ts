import type { EpochRecord } from '@g2d/core';

/** Who wants to know how far a run is. */
export interface RunReporter {
  /** The training begins, or goes on after `done` of `total` steps. */
  begin(progress: { readonly total: number; readonly done: number }): void;
  /** One more step is done. */
  step(): void;
  /** An epoch is done, and evaluated. */
  epoch(record: EpochRecord): void;
  /** Something to tell the user. */
  note(line: string): void;
}

/** Tells nobody. */
export const SILENT: RunReporter = { begin: () => {}, step: () => {}, epoch: () => {}, note: () => {} };

import type { PerModality } from '@g2d/core';
import { isPerModality, isUnit, isWhole, wrongOption } from './checks.js';
import type { EpochTotals, Total } from './epoch-totals.js';

/** What sequential modality prioritization remembers, as plain data for `JSON.stringify`. */
export interface SmpState<M extends string> {
  /** Of this format. */
  readonly version: 1;
  /** Of the last update; 0 before the first. */
  readonly epoch: number;
  /** κ. */
  readonly coefficients: PerModality<M, number>;
  /** Confidences of the previous epoch and of the current one, for `ranking: 'epoch'`. */
  readonly previous: EpochTotals<M>;
  readonly current: EpochTotals<M>;
}

/** Throws an `OptionError` unless a saved state is whole and of these modalities. */
export function assertState<M extends string>(state: SmpState<M>, modalities: readonly M[]): void {
  if (
    state?.version !== 1 ||
    !isWhole(state.epoch, 0) ||
    !isPerModality(state.coefficients, modalities, isUnit) ||
    !isPerModality(state.previous, modalities, isTotal) ||
    !isPerModality(state.current, modalities, isTotal)
  ) {
    throw wrongOption('state', state, 'what `getState` gave');
  }
}

const isTotal = (total: Total): boolean =>
  total?.sum >= 0 && total.sum <= total.samples && total.samples < Infinity;

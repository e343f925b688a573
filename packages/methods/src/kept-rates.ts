import type { Snapshot, Step } from '@g2d/core';

/** What MSES goes back to. */
export interface KeptRates {
  /** Of every modality's best epoch that it may still go back to. */
  best: Record<number, Snapshot>;
  /** Official: the learning rate that followed each of these epochs, what the schedule did after it included. */
  followed: Record<number, number>;
  /** Official: the one that the next epoch begins with, in place of the schedule's; `null` unless there was a reload. */
  learningRate: number | null;
}

/**
 * A reload of the official code brings back the rate that followed the best epoch; the schedule's own count is not taken back, so its next
 * fall comes when it would have come, from that rate.
 */
export function keepRates<M extends string>({ epoch, optimizer }: Step<M>, state: KeptRates): void {
  if (state.learningRate !== null) optimizer.learningRate = state.learningRate;
  state.learningRate = null;
  if (state.best[epoch - 1]) state.followed[epoch - 1] ??= optimizer.learningRate;
}

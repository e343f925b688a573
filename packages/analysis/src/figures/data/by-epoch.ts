import type { EpochMetrics, Run } from '../../run.js';

/** Numbers of several runs by epoch, in ascending order; an epoch without one is not there. */
export function byEpoch(
  runs: readonly Run[],
  read: (epoch: EpochMetrics) => number | undefined,
): [epoch: number, values: number[]][] {
  const lists = new Map<number, number[]>();
  for (const { metrics } of runs)
    for (const epoch of metrics) {
      const value = read(epoch);
      if (value !== undefined) lists.set(epoch.epoch, [...(lists.get(epoch.epoch) ?? []), value]);
    }
  return [...lists].sort(([a], [b]) => a - b);
}

import { isSameLabel } from '@g2d/core';
import type { Run } from '../run.js';

/**
 * Standard error, in points, of one accuracy measured on `samples` test samples.
 *
 * 100 √(p (1 − p) / n + 1 / 4n²) / (1 + 1 / n)
 *
 * @see Wilson, Probable Inference (1927)
 */
export function standardError(accuracy: number, samples: number): number {
  const p = accuracy / 100;
  // Half of Wilson's interval at one standard error: at 0 and 100 % it is not 0, as √(p (1 − p) / n) would be.
  return (100 * Math.sqrt((p * (1 - p)) / samples + 1 / (4 * samples ** 2))) / (1 + 1 / samples);
}

/**
 * Standard error, in points, of the difference of two runs' fused accuracies on the same test samples.
 *
 * With d_i = [a is right on i] − [b is right on i]: 100 √(var(d) / n). Pairing by sample counts only where the two
 * disagree. `undefined` where the runs have different samples or no fused head.
 */
export function pairedStandardError(a: Run, b: Run): number | undefined {
  const [first, second] = [a.predictions?.predictions['fused'], b.predictions?.predictions['fused']];
  const { ids = [], labels = [] } = a.predictions ?? {};
  const otherIds = b.predictions?.ids ?? [];
  if (!first || !second || ids.length === 0 || ids.length !== otherIds.length) return undefined;
  if (ids.some((id, index) => id !== otherIds[index])) return undefined;
  const differences = labels.map(
    (label, index) =>
      Number(isSameLabel(first[index] ?? NaN, label)) - Number(isSameLabel(second[index] ?? NaN, label)),
  );
  const mean = differences.reduce((sum, d) => sum + d, 0) / differences.length;
  const variance = differences.reduce((sum, d) => sum + (d - mean) ** 2, 0) / differences.length;
  return 100 * Math.sqrt(variance / differences.length);
}

/** An accuracy, and what it was measured on. */
export interface Measured {
  /** The run whose fused answers it is of, where it is. */
  readonly run?: Run | undefined;
  readonly value: number | undefined;
  /** Size of the test split. */
  readonly samples: number | undefined;
}

/** Standard error, in points, of the difference of two accuracies: paired where both are of the same samples. */
export function differenceError(a: Measured, b: Measured): number | undefined {
  const paired = a.run && b.run && pairedStandardError(a.run, b.run);
  if (paired !== undefined) return paired;
  const errors = [a, b].flatMap(({ value, samples }) =>
    value === undefined || samples === undefined ? [] : [standardError(value, samples)],
  );
  return errors.length === 2 ? Math.hypot(...errors) : undefined;
}

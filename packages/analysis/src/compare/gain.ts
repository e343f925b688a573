import type { ComparisonRow, Gain } from './comparison.js';
import { estimate, isNumber, type EstimateOptions } from './estimate.js';

/**
 * By how much a row is better than another: mean, deviation and interval of the differences seed by seed, over the seeds that both
 * have. The same seed is the same order of the same data: what it does to both of them is in no difference.
 *
 * Where they have fewer than two seeds in common, it is the difference of the means, without an interval.
 */
export function gainOver(
  row: ComparisonRow,
  joint: ComparisonRow,
  { sign, ...options }: EstimateOptions & { readonly sign: 1 | -1 },
): Gain | undefined {
  const [own, other] = [row.test[row.main], joint.test[joint.main]];
  if (!own || !other) return undefined;
  const pairs = pairedDifferences(row, joint);
  const differences = pairs.map(({ difference }) => sign * difference);
  const wins = { better: differences.filter((difference) => difference > 0).length, of: differences.length };
  const paired = differences.length < 2 ? undefined : estimate(differences, options);
  if (!paired) return { over: joint.label, wins, seeds: [], n: 0, mean: sign * (own.mean - other.mean) };
  const { values: _, ...numbers } = paired;
  return { over: joint.label, wins, seeds: pairs.map(({ seed }) => seed), ...numbers };
}

/** Main head on test, first minus second, for every seed that both rows have. */
export function pairedDifferences(
  a: ComparisonRow,
  b: ComparisonRow,
): { readonly seed: number; readonly difference: number }[] {
  return a.runs.flatMap((run) => {
    const { seed } = run.config;
    const partner = b.runs.find((other) => other.config.seed === seed);
    const [first, second] = [run.summary.test[a.main], partner?.summary.test[b.main]];
    return isNumber(first) && isNumber(second) ? [{ seed, difference: first - second }] : [];
  });
}

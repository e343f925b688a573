import type { ComparisonRow, Gain } from './comparison.js';
import { estimate, type EstimateOptions } from './estimate.js';

/**
 * The difference of two rows' means; where both have the same seeds, with the deviation and the interval of the differences
 * seed by seed.
 */
export function gainOver(
  row: ComparisonRow,
  joint: ComparisonRow,
  { sign, ...options }: EstimateOptions & { readonly sign: 1 | -1 },
): Gain | undefined {
  const [own, other] = [row.test[row.main], joint.test[joint.main]];
  if (!own || !other) return undefined;
  const differences = pairedDifferences(row, joint).map((difference) => sign * difference);
  const wins = { better: differences.filter((difference) => difference > 0).length, of: differences.length };
  const isPaired = differences.length === row.runs.length && differences.length === joint.runs.length;
  const paired = isPaired ? estimate(differences, options) : undefined;
  return {
    over: joint.label,
    wins,
    mean: sign * (own.mean - other.mean),
    ...(paired?.deviation !== undefined && { deviation: paired.deviation }),
    ...(paired?.interval && { interval: paired.interval }),
  };
}

/** Main head on test, first minus second, for every seed that both rows have. */
export function pairedDifferences(a: ComparisonRow, b: ComparisonRow): number[] {
  return a.runs.flatMap((run) => {
    const partner = b.runs.find((other) => other.config.seed === run.config.seed);
    const [first, second] = [run.summary.test[a.main], partner?.summary.test[b.main]];
    return first === undefined || second === undefined ? [] : [first - second];
  });
}

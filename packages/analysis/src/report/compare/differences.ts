import type { ComparisonRow } from '../../compare/comparison.js';
import { isEqual } from '../../compare/equal.js';
import { pairedDifferences } from '../../compare/gain.js';
import { testSizeOf } from '../../compare/notes.js';
import { meanAndDeviation } from '../../mean-interval.js';
import { studentQuantile } from '../../student-quantile.js';
import { differenceError, type Measured } from '../comparison.js';

/** The main heads of two rows on test, first minus second. */
interface RowDifference {
  readonly points: number;
  /** Can be chance; `undefined` where nothing says how large chance is. */
  readonly withinNoise: boolean | undefined;
  /** What chance was measured by: seeds, or the samples of the test split. */
  readonly by: 'seeds' | 'samples';
}

/** How sure a difference must be to be no chance. */
const LEVEL = 0.95;

/**
 * Is the difference of two rows more than chance?
 *
 * Both with the same two or more seeds: t-test of the differences seed by seed. Two or more seeds each: Welch's standard error
 * with the smaller row's degrees of freedom. Otherwise two standard errors of sampling the test split, which leaves out what
 * another seed would change.
 */
export function rowDifference(a: ComparisonRow, b: ComparisonRow): RowDifference | undefined {
  const [first, second] = [a.test[a.main], b.test[b.main]];
  if (!first || !second) return undefined;
  const points = first.mean - second.mean;
  const isNothing = isEqual(first.mean, second.mean);
  const paired = pairedDifferences(a, b).map(({ difference }) => difference);
  if (paired.length >= 2 && paired.length === a.runs.length && paired.length === b.runs.length) {
    const { deviation = 0 } = meanAndDeviation(paired);
    const limit = (studentQuantile(paired.length - 1, LEVEL) * deviation) / Math.sqrt(paired.length);
    return { points, withinNoise: isNothing || Math.abs(points) <= limit, by: 'seeds' };
  }
  if (first.deviation !== undefined && second.deviation !== undefined) {
    const [n, m] = [first.values.length, second.values.length];
    const error = Math.sqrt(first.deviation ** 2 / n + second.deviation ** 2 / m);
    const limit = studentQuantile(Math.min(n, m) - 1, LEVEL) * error;
    return { points, withinNoise: isNothing || Math.abs(points) <= limit, by: 'seeds' };
  }
  const error = samplingError(a, b);
  const withinNoise = error === undefined ? undefined : isNothing || Math.abs(points) <= 2 * error;
  return { points, withinNoise, by: 'samples' };
}

// Neither an error in percent nor F1 is a share of right answers.
function samplingError(a: ComparisonRow, b: ComparisonRow): number | undefined {
  const isFused = a.main === 'fused' && b.main === 'fused';
  const measured = [a, b].flatMap(({ runs: [run], test, main }): Measured[] =>
    run && (run.summary.task ?? 'classification') === 'classification'
      ? [{ run: isFused ? run : undefined, value: test[main]?.mean, samples: testSizeOf(run) }]
      : [],
  );
  const [first, second] = measured;
  return first && second && differenceError(first, second);
}

import { meanAndDeviation, meanInterval, type Interval } from '@g2d/analysis';
import { studentProbability } from '@g2d/analysis/internal';
import { commonSeeds, scoreOf, type Arm, type Answers } from './arm.js';
import { mcNemar } from './mcnemar.js';

/** By how much one side is above another, seed by seed, and how probable that is by chance. */
export interface Difference {
  /** Seeds that both have. */
  readonly n: number;
  readonly mean: number;
  /** Student's t interval at 95 %; of at least two seeds. */
  readonly interval?: Interval;
  /** Of both directions together; absent where nothing tests it. */
  readonly p?: number;
  /** By what `p` was found. */
  readonly test?: 't' | 'McNemar';
  /** Why there is no `p`. */
  readonly why?: string;
}

/** Fewer seeds give an interval, and no verdict. */
export const LEAST_SEEDS = 3;

/**
 * d_s = first_s − second_s for every seed s that both have: mean, interval and probability. Of one seed it is the exact test of McNemar on
 * what both answered on the test split.
 *
 * @returns `undefined` where they have no seed in common.
 */
export function compareArms(first: Arm, second: Arm): Difference | undefined {
  const seeds = commonSeeds([first, second]);
  const [seed] = seeds;
  if (seed === undefined) return undefined;
  const differences = seeds.map((s) => scoreOf(first, s) - scoreOf(second, s));
  if (differences.length > 1) return ofSeeds(differences);
  const answers = [first, second].map((arm) => arm.answers?.get(seed));
  return { n: 1, mean: differences[0] as number, ...ofAnswers(answers[0], answers[1]) };
}

/** Mean, interval and probability of differences that are seed by seed: at least two. */
export function ofSeeds(differences: readonly number[]): Difference {
  const { mean, deviation = 0 } = meanAndDeviation(differences);
  const n = differences.length;
  const interval = meanInterval(differences);
  if (n < LEAST_SEEDS) return { n, mean, interval, why: `${n} seeds are too few for a verdict` };
  // Without any spread every difference that is not zero is certain.
  const p =
    deviation === 0 ? Number(mean === 0) : studentProbability(n - 1, (mean * Math.sqrt(n)) / deviation);
  return { n, mean, interval, p, test: 't' };
}

function ofAnswers(
  first: Answers | undefined,
  second: Answers | undefined,
): Pick<Difference, 'p' | 'test' | 'why'> {
  if (!first || !second) return { why: 'one seed, and no answers on the test split to be paired' };
  if (first.split !== second.split) return { why: 'one seed, and the test splits are not the same' };
  const count = (only: boolean): number =>
    first.right.filter((right, i) => right === only && second.right[i] !== only).length;
  return { p: mcNemar(count(true), count(false)), test: 'McNemar' };
}

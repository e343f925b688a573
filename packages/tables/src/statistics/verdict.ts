import { meanAndDeviation, type Interval } from '@g2d/analysis';
import { studentQuantile } from '@g2d/analysis/internal';
import { formatNumber } from '@g2d/core';
import { commonSeeds, scoreOf, type Arm } from './arm.js';
import { compareArms, ofSeeds, LEAST_SEEDS, type Difference } from './compare-arms.js';
import { holm } from './holm.js';

/** What the numbers say of a claim. `open`: neither that it holds nor that it fails. `not tested`: they are not there. */
export type Verdict = 'holds' | 'open' | 'fails' | 'not tested';

/** A claim, judged. */
export interface Judged {
  readonly verdict: Verdict;
  /** What the verdict is about: points, or an error's, above zero if the claim is right. */
  readonly mean?: number;
  readonly interval?: Interval;
  readonly n?: number;
  /** What else there is to say. */
  readonly why?: string;
}

const ALPHA = 0.05;

const NOT_RUN: Judged = { verdict: 'not tested', why: 'no run of both sides with the same seed' };

/** `greater`: the first is above the second. A score of which less is better is negated by the caller. */
export function judgeGreater(first: Arm, second: Arm): Judged {
  const found = compareArms(first, second);
  return found ? { verdict: verdictOf(found, isSignificant(found)), ...numbersOf(found) } : NOT_RUN;
}

/** `best`: the first is above each of the others (Holm over them). Fails if one of them is above the first. */
export function judgeBest(first: Arm, others: readonly Arm[]): Judged {
  const found = others.flatMap((other) => {
    const difference = compareArms(first, other);
    return difference ? [{ other, difference }] : [];
  });
  const missing = others.filter((other) => !found.some((one) => one.other === other));
  if (found.length === 0) return NOT_RUN;
  const untested = found.find(({ difference }) => difference.p === undefined);
  const rejected = untested
    ? found.map(() => false)
    : holm(
        found.map(({ difference }) => difference.p as number),
        ALPHA,
      );
  const verdicts = found.map(({ difference }, at) => verdictOf(difference, rejected[at] as boolean));
  const nearest = found.reduce((least, one) => (one.difference.mean < least.difference.mean ? one : least));
  const above = found.filter(({ difference }) => difference.mean < 0).map(({ other }) => other.label);
  const verdict = verdicts.includes('fails')
    ? 'fails'
    : missing.length === 0 && verdicts.every((one) => one === 'holds')
      ? 'holds'
      : 'open';
  const isAlone = found.some(({ difference }, at) => isSignificant(difference) && !rejected[at]);
  const why = [
    `next: ${nearest.other.label}`,
    ...(isAlone && !untested ? [`some differences would be enough alone, not among ${found.length}`] : []),
    ...(above.length > 1 ? [`above it: ${above.join(', ')}`] : []),
    ...(missing.length > 0 ? [`not run: ${missing.map(({ label }) => label).join(', ')}`] : []),
    ...(untested?.difference.why === undefined ? [] : [untested.difference.why]),
  ].join('; ');
  return { verdict, ...numbersOf(nearest.difference), why };
}

/** `at least`: the first is not below the second by more than the tolerance (one-sided, 95 %). */
export function judgeAtLeast(first: Arm, second: Arm, tolerance: number): Judged {
  const seeds = commonSeeds([first, second]);
  if (seeds.length === 0) return NOT_RUN;
  const differences = seeds.map((seed) => scoreOf(first, seed) - scoreOf(second, seed));
  const { mean, deviation } = meanAndDeviation(differences);
  const n = differences.length;
  if (deviation === undefined || n < LEAST_SEEDS) {
    return { verdict: 'open', n, mean, why: `${n === 1 ? 'one seed is' : `${n} seeds are`} too few` };
  }
  // One-sided at 95 % is two-sided at 90 %.
  const half = (studentQuantile(n - 1, 0.9) * deviation) / Math.sqrt(n);
  const verdict = mean - half > -tolerance ? 'holds' : mean + half < -tolerance ? 'fails' : 'open';
  return { verdict, n, mean, interval: { lower: mean - half, upper: mean + half }, why: '90 % interval' };
}

/**
 * `increasing`: the least-squares slope over the number of the level is above zero, seed by seed, and no mean falls by more than the
 * tolerance from one level to the next. Fails if the slope is below zero.
 */
export function judgeIncreasing(levels: readonly Arm[], tolerance: number): Judged {
  const seeds = commonSeeds(levels);
  if (seeds.length === 0 || levels.length < 2) return NOT_RUN;
  const slopes = seeds.map((seed) => slopeOf(levels.map((level) => scoreOf(level, seed))));
  const means = levels.map((level) => meanAndDeviation(seeds.map((seed) => scoreOf(level, seed))).mean);
  const falls = means.slice(1).map((mean, at) => (means[at] as number) - mean);
  const deepest = Math.max(...falls);
  const at = falls.indexOf(deepest);
  const why =
    deepest > tolerance
      ? `falls by ${formatNumber(deepest, 2)} from ${levels[at]?.label} to ${levels[at + 1]?.label}`
      : 'slope for each level';
  if (seeds.length === 1) {
    return {
      verdict: 'open',
      n: 1,
      mean: slopes[0] as number,
      why: `one seed is too few for a slope; ${why}`,
    };
  }
  const found = ofSeeds(slopes);
  const verdict = verdictOf(found, isSignificant(found));
  const isFalling = verdict === 'holds' && deepest > tolerance;
  return { ...numbersOf(found), verdict: isFalling ? 'open' : verdict, why: found.why ?? why };
}

/** `smaller drop`: from its beginning to its end the first falls less than the second. */
export function judgeSmallerDrop(first: Drop, second: Drop): Judged {
  const arms = [first.from, first.to, second.from, second.to];
  const seeds = commonSeeds(arms);
  if (seeds.length === 0) return NOT_RUN;
  const fallOf = ({ from, to }: Drop, seed: number): number => scoreOf(from, seed) - scoreOf(to, seed);
  const differences = seeds.map((seed) => fallOf(second, seed) - fallOf(first, seed));
  if (differences.length === 1) {
    return {
      verdict: 'open',
      n: 1,
      mean: differences[0] as number,
      why: 'one seed is too few for a difference of drops',
    };
  }
  const found = ofSeeds(differences);
  return { verdict: verdictOf(found, isSignificant(found)), ...numbersOf(found) };
}

/** Two scores, one of which is lower by what has been made harder. */
export interface Drop {
  readonly from: Arm;
  readonly to: Arm;
}

/** `ratio at most`: of two measured numbers. */
export const judgeRatio = (ratio: number | undefined, limit: number): Judged =>
  ratio === undefined
    ? { verdict: 'not tested', why: 'not measured' }
    : { verdict: ratio <= limit ? 'holds' : 'fails', why: `the ratio is ${formatNumber(ratio, 5)}` };

const isSignificant = ({ p }: Difference): boolean => p !== undefined && p <= ALPHA;

const verdictOf = ({ mean }: Difference, significant: boolean): Verdict =>
  significant && mean !== 0 ? (mean > 0 ? 'holds' : 'fails') : 'open';

const numbersOf = ({ n, mean, interval, why, test }: Difference): Omit<Judged, 'verdict'> => ({
  n,
  mean,
  ...(interval && { interval }),
  ...(why !== undefined ? { why } : test === 'McNemar' && { why: 'McNemar on one seed' }),
});

/** Least squares over 0, 1, 2 … */
function slopeOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const [above, below] = values.reduce(
    ([a, b], value, x) => [a + (x - middle) * value, b + (x - middle) ** 2] as const,
    [0, 0] as readonly [number, number],
  );
  return above / below;
}

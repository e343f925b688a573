import { exceeds, ratio, type Check } from './compare.js';

/** How a case, or a set of cases, is judged. */
export type Status = 'pass' | 'inconclusive' | 'fail';

/**
 * Judges a case.
 *
 * - `pass`: nothing exceeds its tolerance.
 * - `inconclusive`: everything that is computed without gradients, and everything that has to be equal, agrees; only
 *   gradients, or what is computed from them, exceed. A ReLU input or a maximum that rounding moves across a tie does that
 *   once in a while, a mistake in every case that uses the same feature.
 * - `fail`: anything else.
 *
 * @see parity cases, format 1, "Near ties, and how to judge"
 */
export function judge(checks: readonly Check[]): Status {
  const excesses = checks.filter(exceeds);
  if (excesses.length === 0) return 'pass';
  return excesses.every(({ origin }) => origin === 'gradient') ? 'inconclusive' : 'fail';
}

/** The check closest to its tolerance, or farthest beyond. */
export function worstOf(checks: readonly Check[]): Check {
  return checks.reduce((worst, check) => (ratio(check) > ratio(worst) ? check : worst));
}

/**
 * Whether a set of cases is good: none fails, and not more than a tenth is inconclusive, one being always accepted.
 */
export function acceptable(statuses: readonly Status[]): boolean {
  const inconclusive = statuses.filter((status) => status === 'inconclusive').length;
  return !statuses.includes('fail') && (inconclusive < 2 || inconclusive <= statuses.length / 10);
}

/**
 * Between −t and t lies the share `level` of Student's t distribution: with 4 degrees of freedom and 0.95, t is 2.776.
 *
 * t = √ν tan θ, where A(θ) = `level`; for whole ν, A is a finite sum of powers of cos θ.
 *
 * @param freedom ν, a whole number of at least 1: one less than there are values.
 * @param level In (0, 1).
 * @see Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4
 */
export function studentQuantile(freedom: number, level: number): number {
  // A rises from 0 to 1: after so many halvings nothing is left between the two ends.
  let [low, high] = [0, Math.PI / 2];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (shareWithin(middle, freedom) < level) low = middle;
    else high = middle;
  }
  return Math.sqrt(freedom) * Math.tan((low + high) / 2);
}

/**
 * How probable a value of Student's t distribution is that is as far from zero as this one, or farther, to either side: with 4 degrees of
 * freedom and 2.776 it is 0.05.
 *
 * p = 1 − A(θ), θ = arctan(|t| / √ν)
 *
 * @param freedom ν, a whole number of at least 1.
 */
export const studentProbability = (freedom: number, t: number): number =>
  1 - shareWithin(Math.atan(Math.abs(t) / Math.sqrt(freedom)), freedom);

/** A(θ): the share of the distribution between −√ν tan θ and √ν tan θ. */
function shareWithin(theta: number, freedom: number): number {
  const isOdd = freedom % 2 === 1;
  if (freedom === 1) return (2 * theta) / Math.PI;
  const [sine, cosine] = [Math.sin(theta), Math.cos(theta)];
  // 1 + ½ cos²θ + ½ ¾ cos⁴θ + … for even ν, cos θ + ⅔ cos³θ + ⅔ ⅘ cos⁵θ + … for odd ones.
  let term = isOdd ? cosine : 1;
  let sum = term;
  for (let k = isOdd ? 3 : 2; k <= freedom - 2; k += 2) {
    term *= ((k - 1) / k) * cosine ** 2;
    sum += term;
  }
  return isOdd ? (2 / Math.PI) * (theta + sine * sum) : sine * sum;
}

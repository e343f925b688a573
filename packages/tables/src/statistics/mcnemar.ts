/**
 * McNemar's exact test: how probable it is, of two methods that are equally often right, that the samples on which only one of them is right
 * are divided as unevenly as they are.
 *
 * p = min(1, 2 Σ_{i ≤ min(b, c)} C(b + c, i) / 2^(b + c))
 *
 * @param onlyFirst b: samples on which the first is right and the second wrong.
 * @param onlySecond c: the other way round.
 * @returns p of both sides together, in (0, 1]; 1 where they never differ.
 * @see McNemar, Note on the sampling error of the difference between correlated proportions, 1947
 */
export function mcNemar(onlyFirst: number, onlySecond: number): number {
  const count = onlyFirst + onlySecond;
  // Logarithms: of thousands of samples the powers of two are beyond a number.
  let term = -count * Math.LN2;
  let sum = Math.exp(term);
  for (let i = 1; i <= Math.min(onlyFirst, onlySecond); i++) {
    term += Math.log((count - i + 1) / i);
    sum += Math.exp(term);
  }
  return Math.min(1, 2 * sum);
}

/** So many digits of a sum or a mean are sure; in what is behind them, sums of the same numbers in another order differ. */
const SURE_DIGITS = 12;

/**
 * A number as every table, page and line shows it: rounded to so many decimals, half to even, on its decimal value.
 *
 * 83.85 is `83.8` and 78.15 is `78.2`, whichever side of them their binary values lie on: `toFixed` goes by that side, and so writes two
 * sums of the same numbers differently.
 *
 * @param decimals Default 1.
 * @returns Without a sign where nothing is left but zeros; `NaN` and `Infinity` as they are.
 * @example
 * formatNumber(83.85000000000001); // '83.8'
 */
export const formatNumber = (value: number, decimals = 1): string =>
  rounded(value, (exponent) => exponent + 1 + decimals).toFixed(decimals);

/** As `formatNumber`, with so many digits in all, whatever the size: 0.0012345 with 3 is `0.00123`. */
export const formatDigits = (value: number, digits: number): string =>
  rounded(value, () => digits).toPrecision(digits);

/** @param kept How many digits stay, of a number whose first digit stands for 10 to this power. */
function rounded(value: number, kept: (exponent: number) => number): number {
  if (!Number.isFinite(value) || value === 0) return value;
  const count = kept(Number(value.toExponential(SURE_DIGITS - 1).split('e')[1]));
  if (count < 0) return 0;
  // More digits than a number has: nothing to round.
  if (count > 15) return value;
  const [mantissa = '', exponent = ''] = Math.abs(value)
    .toExponential(Math.max(SURE_DIGITS, count + 2) - 1)
    .split('e');
  const digits = mantissa.replace('.', '');
  const [head, rest] = [Number(digits.slice(0, count)), digits.slice(count)];
  const half = '5'.padEnd(rest.length, '0');
  const isUp = rest > half || (rest === half && head % 2 === 1);
  return Math.sign(value) * Number(`${head + Number(isUp)}e${Number(exponent) - count + 1}`);
}

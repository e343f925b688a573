/**
 * How much two orders of the same things agree: Kendall's τ_b, from −1, the opposite order, to 1, the same one. Equal values are ties.
 *
 * τ = (C − D) / √((P − T_a) (P − T_b)), of P pairs C in the same order, D in the opposite one, T tied in one of the lists
 *
 * @returns `undefined` where one of the lists has no order: fewer than two values, or all of them equal.
 * @see Kendall, The treatment of ties in ranking problems, 1945
 */
export function kendall(first: readonly number[], second: readonly number[]): number | undefined {
  let [score, ofFirst, ofSecond] = [0, 0, 0];
  for (let i = 0; i < first.length; i++) {
    for (let j = 0; j < i; j++) {
      const a = Math.sign((first[i] as number) - (first[j] as number));
      const b = Math.sign((second[i] as number) - (second[j] as number));
      score += a * b;
      ofFirst += Math.abs(a);
      ofSecond += Math.abs(b);
    }
  }
  return ofFirst === 0 || ofSecond === 0 ? undefined : score / Math.sqrt(ofFirst * ofSecond);
}

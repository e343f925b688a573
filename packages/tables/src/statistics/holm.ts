/**
 * Which of several hypotheses are rejected, so that with probability 1 − α none of them is rejected wrongly: the least p has to be at most α / k, the
 * next α / (k − 1), and so on, until one is not.
 *
 * @param probabilities p of each hypothesis, in [0, 1].
 * @param alpha In (0, 1).
 * @returns Whether each is rejected, in the order of `probabilities`.
 * @see Holm, A simple sequentially rejective multiple test procedure, 1979
 */
export function holm(probabilities: readonly number[], alpha: number): boolean[] {
  const rejected = probabilities.map(() => false);
  const order = probabilities.map((_, at) => at).sort((a, b) => probability(a) - probability(b));
  function probability(at: number): number {
    return probabilities[at] as number;
  }
  for (const [rank, at] of order.entries()) {
    if (probability(at) > alpha / (order.length - rank)) break;
    rejected[at] = true;
  }
  return rejected;
}

/**
 * Learning rate of an epoch: multiplied by `ratio` at every milestone passed.
 *
 * lr(e) = base · ratio^|{ s : s < e }|
 *
 * @param base Learning rate of the first epoch.
 * @param epoch Counted from 1.
 * @param options `after`: the epochs after which the rate drops, for example `[42]`: from epoch 43 on. `ratio`: default 0.1.
 * @example
 * stepDecay(0.05, 43, { after: [42] }); // 0.005
 * @see G2D, App. A.4.2
 */
export function stepDecay(
  base: number,
  epoch: number,
  { after, ratio = 0.1 }: { readonly after: readonly number[]; readonly ratio?: number },
): number {
  return base * ratio ** after.filter((milestone) => epoch > milestone).length;
}

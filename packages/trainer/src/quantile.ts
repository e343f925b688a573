/**
 * A quantile of some numbers, between two of them on the line through both (numpy's default).
 *
 * @param values At least one, in any order.
 * @param share In [0, 1]: 0.5 is the median.
 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] as number;
  const above = sorted[Math.ceil(place)] as number;
  return below + (place - Math.floor(place)) * (above - below);
}

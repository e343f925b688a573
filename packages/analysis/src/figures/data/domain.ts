/** Some room above and below numbers, within what is possible. */
export function paddedDomain(
  values: readonly number[],
  [least, most]: readonly [number, number] = [-Infinity, Infinity],
): readonly [number, number] {
  const known = values.filter(Number.isFinite);
  if (known.length === 0) return [Math.max(least, 0), Math.min(most, 1)];
  const low = known.reduce((a, b) => Math.min(a, b));
  const high = known.reduce((a, b) => Math.max(a, b));
  // Of a line that is level, so much that its numbers are told apart from its neighbours.
  const span = high - low || (Number.isFinite(most - least) ? most - least : Math.abs(high) || 1);
  const room = span * 0.06;
  return [Math.max(least, low - room), Math.min(most, high + room)];
}

/** From 0 to a little above what bars reach. */
export function barDomain(
  bars: readonly { readonly value: number; readonly deviation?: number; readonly baseline?: number }[],
  level = 0,
): readonly [number, number] {
  const ends = bars.flatMap(({ value, deviation = 0, baseline = 0 }) => [
    value - deviation,
    value + deviation,
    baseline,
  ]);
  const [low, high] = paddedDomain([0, level, ...ends]);
  return [low < 0 && ends.some((end) => end < 0) ? low : 0, high];
}

/** Without the last bits, in which means of the same values in another order differ. */
export function withoutLastBits(value: number): number {
  return Number.isFinite(value) ? Math.round(value * 1e9) / 1e9 : value;
}

/** Are two scores the same, but for the last bits of their means? */
export function isEqual(a: number, b: number): boolean {
  return withoutLastBits(a) === withoutLastBits(b);
}

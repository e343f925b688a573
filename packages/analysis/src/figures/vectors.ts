/** Σ_d a_d b_d */
export const dot = (first: Float64Array, second: Float64Array): number =>
  first.reduce((sum, value, i) => sum + value * (second[i] as number), 0);

/** Σ_i x_i of rows that are `width` wide. */
export function sumOfRows(rows: readonly ArrayLike<number>[], width: number): Float64Array {
  const sum = new Float64Array(width);
  for (const row of rows) for (let d = 0; d < width; d++) (sum[d] as number) += row[d] as number;
  return sum;
}

/** ‖a − b‖ */
export const distance = (first: ArrayLike<number>, second: ArrayLike<number>): number =>
  Math.sqrt(Array.from(first).reduce((sum, value, i) => sum + (value - (second[i] as number)) ** 2, 0));

import { OptionError, ShapeError } from '@g2d/core';

/** Features `[N, D]` of one modality, one array of D finite numbers for each sample: what `extractFeatures` of `@g2d/trainer` gives. */
export type FeatureRows = readonly ArrayLike<number>[];

/**
 * The common width D of feature rows.
 *
 * @throws {OptionError} If there are none, or one holds a number that is not finite.
 * @throws {ShapeError} If one has no numbers, or another width than the first.
 */
export function widthOf(rows: FeatureRows, argument: string): number {
  const width = rows[0]?.length;
  if (width === undefined) {
    throw new OptionError(`\`${argument}\` has no rows; give the features of one sample or more.`, {
      option: argument,
      value: rows,
      accepted: 'one row or more',
    });
  }
  rows.forEach((row, i) => {
    const where = `${argument}[${i}]`;
    if (row.length !== width || width === 0) {
      const expected = width === 0 ? '[D] with D of at least 1' : `[${width}], as wide as the first row`;
      throw new ShapeError({ argument: where, expected, actual: [row.length] });
    }
    const bad = Array.from(row).find((value) => !Number.isFinite(value));
    if (bad !== undefined) {
      throw new OptionError(
        `\`${where}\` holds ${bad}; features must be finite. Look at the model's weights.`,
        {
          option: argument,
          value: bad,
          accepted: 'finite numbers',
        },
      );
    }
  });
  return width;
}

/** A row divided by its length in the sense of L2. One of zeros has no direction and stays as it is. */
export function unitRow(row: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(row);
  // By the largest first, since squares of very large or very small numbers leave the range of float64.
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (largest === 0) return values;
  const scaled = values.map((value) => value / largest);
  const length = Math.sqrt(scaled.reduce((sum, value) => sum + value * value, 0));
  return scaled.map((value) => value / length);
}

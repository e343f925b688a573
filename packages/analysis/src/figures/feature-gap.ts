import { ShapeError } from '@g2d/core';
import { unitRow, widthOf, type FeatureRows } from './feature-rows.js';

/**
 * How far the features of two modalities lie apart: the distance between the centroids of their normalized rows.
 *
 * ‖(1/N) Σ_i x_i/‖x_i‖ − (1/N′) Σ_j y_j/‖y_j‖‖
 *
 * The modality gap of Liang et al. It compares directions in one space, so it says something about features that meet there;
 * `modalityGap` is about how well each modality is learned. A row of zeros counts as zeros.
 *
 * @param first Features of one modality, `[N, D]`.
 * @param second Features of another, `[N′, D]`: of the same samples or of others.
 * @returns In [0, 2].
 * @throws {ShapeError} If the widths differ, or rows of one are not equally wide.
 * @throws {OptionError} If one has no rows, or a number is not finite.
 * @example
 * featureGap([[2, 0], [0, 3]], [[-1, 0]]); // from (0.5, 0.5) to (−1, 0): √2.5
 * @see Liang et al., Mind the Gap: Understanding the Modality Gap in Multi-modal Contrastive Representation Learning (2022)
 * @see G2D, Fig. 4
 */
export function featureGap(first: FeatureRows, second: FeatureRows): number {
  const [width, other] = [widthOf(first, 'first'), widthOf(second, 'second')];
  if (width !== other) {
    throw new ShapeError({
      argument: 'second',
      expected: `[any, ${width}], as wide as the first: only features of one space have a distance`,
      actual: [second.length, other],
    });
  }
  const [from, to] = [centroid(first, width), centroid(second, width)];
  return Math.hypot(...from.map((value, i) => value - (to[i] as number)));
}

/** Mean of the normalized rows. */
function centroid(rows: FeatureRows, width: number): Float64Array {
  const sum = new Float64Array(width);
  for (const row of rows) unitRow(row).forEach((value, i) => void ((sum[i] as number) += value));
  return sum.map((value) => value / rows.length);
}

import { ShapeError } from '@g2d/core';
import { unitRow, widthOf, type FeatureRows } from './feature-rows.js';
import { distance, sumOfRows } from './vectors.js';

/**
 * How far the features of two modalities lie apart: the distance between the centroids of their normalized rows.
 *
 * ‖(1/N) Σ_i x_i/‖x_i‖ − (1/N′) Σ_j y_j/‖y_j‖‖
 *
 * The modality gap of Liang et al. It compares directions in one space, so it says something about features that meet there;
 * `scoreGap` is about how well each modality is learned. A row of zeros counts as zeros.
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
  const [from, to] = cloudsOf(first, second);
  return distance(from.centroid, to.centroid);
}

/**
 * The same in units of how wide the two modalities are spread: a gap that is there only because all directions of each modality are close
 * together is no larger than one of two wide clouds.
 *
 * featureGap / ½ (s_x + s_y), with s the mean distance of a modality's normalized rows from their centroid
 *
 * @param first Features of one modality, `[N, D]`.
 * @param second Features of another, `[N′, D]`.
 * @returns From 0. Infinity where both have no spread at all, NaN where there is no gap either.
 * @throws {ShapeError} As `featureGap`.
 * @throws {OptionError} As `featureGap`.
 * @example
 * relativeFeatureGap([[2, 0], [0, 3]], [[-1, 0]]); // √2.5 over ½ (√0.5 + 0): √20
 * @see G2D, Fig. 4
 */
export function relativeFeatureGap(first: FeatureRows, second: FeatureRows): number {
  const [from, to] = cloudsOf(first, second);
  return distance(from.centroid, to.centroid) / ((from.spread + to.spread) / 2);
}

interface Cloud {
  readonly centroid: Float64Array;
  /** Mean distance from it. */
  readonly spread: number;
}

function cloudsOf(first: FeatureRows, second: FeatureRows): readonly [Cloud, Cloud] {
  const [width, other] = [widthOf(first, 'first'), widthOf(second, 'second')];
  if (width === other) return [cloudOf(first, width), cloudOf(second, width)];
  throw new ShapeError({
    argument: 'second',
    expected: `[any, ${width}], as wide as the first: only features of one space have a distance`,
    actual: [second.length, other],
  });
}

function cloudOf(rows: FeatureRows, width: number): Cloud {
  const units = rows.map(unitRow);
  const centroid = sumOfRows(units, width).map((value) => value / rows.length);
  const spread = units.reduce((sum, row) => sum + distance(row, centroid), 0) / rows.length;
  return { centroid, spread };
}

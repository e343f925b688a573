import { ShapeError } from '@g2d/core';
import { dot, sumOfRows } from './vectors.js';
import { unitRow, widthOf, type FeatureRows } from './feature-rows.js';

/**
 * How much a student's features of a modality point where its teacher's do: the mean cosine similarity, sample by sample.
 *
 * (1/N) Σ_i ⟨s_i, t_i⟩ / (‖s_i‖ ‖t_i‖)
 *
 * A row of zeros has no direction; its similarity counts as 0. Features that are never negative, such as means over ReLUs, are similar
 * whoever they are of: `alignmentBaseline` says how much. What the paper's figure measures is not released, see docs/deviations.md.
 *
 * @param student Features of one modality, `[N, D]`.
 * @param teacher Features of the same samples in the same order, `[N, D]`.
 * @returns In [−1, 1]: 1 where all of them point the same way, whatever their lengths.
 * @throws {ShapeError} If the two have different numbers of rows or widths, or rows of one are not equally wide.
 * @throws {OptionError} If there are no rows, or a number is not finite.
 * @example
 * featureAlignment([[3, 4], [1, 0]], [[4, 3], [0, 2]]); // (0.96 + 0) / 2 = 0.48
 * @see G2D, Fig. 5
 */
export function featureAlignment(student: FeatureRows, teacher: FeatureRows): number {
  assertSameRows(student, teacher);
  const sum = student.reduce((total, row, i) => total + cosine(row, teacher[i] as ArrayLike<number>), 0);
  return sum / student.length;
}

/**
 * The same for samples that do not belong together: what `featureAlignment` comes to between networks that have nothing in common but
 * where their features lie.
 *
 * (1/(N(N − 1))) Σ_{i ≠ j} ⟨s_i, t_j⟩ / (‖s_i‖ ‖t_j‖)
 *
 * @param student Features of one modality, `[N, D]`.
 * @param teacher Features of the same samples in the same order, `[N, D]`.
 * @returns In [−1, 1]; over all pairs, so nothing is drawn. NaN for one sample, which has no other.
 * @throws {ShapeError} As `featureAlignment`.
 * @throws {OptionError} As `featureAlignment`.
 * @example
 * alignmentBaseline([[3, 4], [1, 0]], [[4, 3], [0, 2]]); // (0.8 + 0.8) / 2 = 0.8
 * @see G2D, Fig. 5
 */
export function alignmentBaseline(student: FeatureRows, teacher: FeatureRows): number {
  const width = assertSameRows(student, teacher);
  const [own, taught] = [student.map(unitRow), teacher.map(unitRow)];
  const all = dot(sumOfRows(own, width), sumOfRows(taught, width));
  const matched = own.reduce((sum, row, i) => sum + dot(row, taught[i] as Float64Array), 0);
  return within((all - matched) / (own.length * (own.length - 1)));
}

function assertSameRows(student: FeatureRows, teacher: FeatureRows): number {
  const width = widthOf(student, 'student');
  const expected = [student.length, width];
  const actual = [teacher.length, widthOf(teacher, 'teacher')];
  if (expected.join() === actual.join()) return width;
  throw new ShapeError({
    argument: 'teacher',
    expected: `[${expected.join(', ')}], the student's: features of the same samples, equally wide`,
    actual,
  });
}

const cosine = (first: ArrayLike<number>, second: ArrayLike<number>): number =>
  within(dot(unitRow(first), unitRow(second)));

/** Rounding could give 1.0000000000000002. NaN stays. */
const within = (product: number): number => Math.min(1, Math.max(-1, product));

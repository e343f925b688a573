import { ShapeError } from '@g2d/core';
import { unitRow, widthOf, type FeatureRows } from './feature-rows.js';

/**
 * How much a student's features of a modality point where its teacher's do: the mean cosine similarity, sample by sample.
 *
 * (1/N) Σ_i ⟨s_i, t_i⟩ / (‖s_i‖ ‖t_i‖)
 *
 * A row of zeros has no direction; its similarity counts as 0. What the paper's figure measures is not released, see
 * docs/deviations.md.
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
  const expected = [student.length, widthOf(student, 'student')];
  const actual = [teacher.length, widthOf(teacher, 'teacher')];
  if (expected.join() !== actual.join()) {
    throw new ShapeError({
      argument: 'teacher',
      expected: `[${expected.join(', ')}], the student's: features of the same samples, equally wide`,
      actual,
    });
  }
  const sum = student.reduce((total, row, i) => total + cosine(row, teacher[i] as ArrayLike<number>), 0);
  return sum / student.length;
}

function cosine(first: ArrayLike<number>, second: ArrayLike<number>): number {
  const [a, b] = [unitRow(first), unitRow(second)];
  const product = a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
  // Rounding could give 1.0000000000000002.
  return Math.min(1, Math.max(-1, product));
}

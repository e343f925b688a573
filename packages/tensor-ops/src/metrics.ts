import { OptionError, ShapeError } from './errors.js';

/**
 * Counts of (true class, predicted class).
 *
 * @param labels True class ids, each in [0, `classes`).
 * @param predictions Predicted class ids, as many.
 * @returns `matrix[true][predicted]`, `classes` × `classes`.
 * @throws {ShapeError} If the lengths differ.
 * @throws {OptionError} If an id is not one of the classes.
 */
export function confusionMatrix(
  labels: ArrayLike<number>,
  predictions: ArrayLike<number>,
  classes: number,
): number[][] {
  if (labels.length !== predictions.length) {
    throw new ShapeError({
      argument: 'predictions',
      expected: `[${labels.length}], one per label`,
      actual: [predictions.length],
    });
  }
  const matrix = Array.from({ length: classes }, () => Array.from({ length: classes }, () => 0));
  for (let i = 0; i < labels.length; i++) {
    const row = matrix[labels[i] as number];
    const count = row?.[predictions[i] as number];
    if (!row || count === undefined) {
      throw new OptionError(
        `Sample ${i} has label ${labels[i]} and prediction ${predictions[i]}; there are ${classes} classes, 0 to ${classes - 1}.`,
        { option: 'classes', value: [labels[i], predictions[i]], accepted: `ids of 0 to ${classes - 1}` },
      );
    }
    row[predictions[i] as number] = count + 1;
  }
  return matrix;
}

/**
 * Share of right predictions in a confusion matrix, in percent; 0 for an empty one.
 *
 * @param matrix `matrix[true][predicted]`.
 */
export function accuracy(matrix: readonly (readonly number[])[]): number {
  let right = 0;
  let total = 0;
  matrix.forEach((row, label) =>
    row.forEach((count, predicted) => {
      total += count;
      if (label === predicted) right += count;
    }),
  );
  return total === 0 ? 0 : (100 * right) / total;
}

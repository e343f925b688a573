import { checkKeys, OptionError, ShapeError } from '@g2d/core';

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
  assertSameLength('predictions', predictions, labels);
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

/** Precision, recall and F1 of one class, in percent; 0 where they are undefined (no such prediction, no such sample). */
export interface ClassScores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Samples of the class. */
  readonly support: number;
}

const share = (part: number, whole: number): number => (whole === 0 ? 0 : (100 * part) / whole);

/**
 * Precision, recall and F1 of every class where a sample has any number of classes.
 *
 * @param labels True class ids of each sample, each in [0, `classes`) and once.
 * @param predictions Predicted ones, of as many samples.
 * @throws {ShapeError} If the lengths differ.
 */
export function labelSetScores(
  labels: readonly (readonly number[])[],
  predictions: readonly (readonly number[])[],
  classes: number,
): ClassScores[] {
  assertSameLength('predictions', predictions, labels);
  const counts = Array.from({ length: classes }, () => ({ right: 0, support: 0, predicted: 0 }));
  labels.forEach((truth, i) => {
    const found = predictions[i] as readonly number[];
    for (const [id, count] of counts.entries()) {
      const [isTrue, isFound] = [truth.includes(id), found.includes(id)];
      count.support += Number(isTrue);
      count.predicted += Number(isFound);
      count.right += Number(isTrue && isFound);
    }
  });
  return counts.map(({ right, support, predicted }) => ({
    precision: share(right, predicted),
    recall: share(right, support),
    f1: share(2 * right, support + predicted),
    support,
  }));
}

/**
 * Micro F1 of sets of classes: F1 of all answers of all samples and classes together, in percent; 0 where there is no class, true or
 * predicted.
 *
 * @throws {ShapeError} If the lengths differ.
 */
export function microF1(
  labels: readonly (readonly number[])[],
  predictions: readonly (readonly number[])[],
): number {
  assertSameLength('predictions', predictions, labels);
  let right = 0;
  let total = 0;
  labels.forEach((truth, i) => {
    const found = predictions[i] as readonly number[];
    right += truth.filter((id) => found.includes(id)).length;
    total += truth.length + found.length;
  });
  return share(2 * right, total);
}

/**
 * Average precision: how well scores put the samples that have a class before the others, in percent.
 *
 * AP = Σ_n (R_n − R_{n−1}) P_n over all thresholds n, from the highest; samples of equal score stand at one threshold. scikit-learn's
 * `average_precision_score`; as there, 0 where no sample has the class.
 *
 * @param positive Whether each sample has the class.
 * @param scores As many; larger is surer.
 * @throws {ShapeError} If the lengths differ.
 */
export function averagePrecision(positive: readonly boolean[], scores: ArrayLike<number>): number {
  assertSameLength('scores', scores, positive);
  const scoreOf = (i: number): number => scores[i] as number;
  const order = positive.map((_, i) => i).sort((a, b) => scoreOf(b) - scoreOf(a));
  const support = positive.filter(Boolean).length;
  let sum = 0;
  let right = 0;
  let before = 0;
  order.forEach((index, place) => {
    right += Number(positive[index]);
    const next = order[place + 1];
    if (next !== undefined && scoreOf(next) === scoreOf(index)) return;
    sum += (right - before) * (right / (place + 1));
    before = right;
  });
  return share(sum, support);
}

/**
 * Precision, recall and F1 of every class.
 *
 * @param matrix `matrix[true][predicted]`.
 */
export function classScores(matrix: readonly (readonly number[])[]): ClassScores[] {
  return matrix.map((row, label) => {
    const right = row[label] as number;
    const support = row.reduce((sum, count) => sum + count, 0);
    const predicted = matrix.reduce((sum, other) => sum + (other[label] as number), 0);
    return {
      precision: share(right, predicted),
      recall: share(right, support),
      f1: share(2 * right, support + predicted),
      support,
    };
  });
}

/**
 * Macro F1: the mean of the F1 of the classes that occur, as label or as prediction, in percent.
 *
 * @param matrix `matrix[true][predicted]`.
 */
export function macroF1(matrix: readonly (readonly number[])[]): number {
  const occurring = classScores(matrix).filter(
    ({ support }, label) => support > 0 || matrix.some((row) => (row[label] as number) > 0),
  );
  return occurring.reduce((sum, { f1 }) => sum + f1, 0) / Math.max(1, occurring.length);
}

/**
 * Expected calibration error: how far the confidence of predictions is from how often they are right, in percent.
 *
 * ECE = Σ_b |B_b|/N · |accuracy(B_b) − confidence(B_b)|, over equally wide bins (b−1)/n < confidence ≤ b/n
 *
 * @param confidences Probability of each predicted class, in [0, 1].
 * @param right Whether each prediction is right.
 * @param options `bins`: how many; default 15.
 * @throws {ShapeError} If the lengths differ.
 * @throws {OptionError} If a confidence is not in [0, 1].
 * @see Guo et al., On Calibration of Modern Neural Networks (2017), Eq. 3
 */
export function expectedCalibrationError(
  confidences: ArrayLike<number>,
  right: ArrayLike<boolean>,
  options: { readonly bins?: number } = {},
): number {
  const { bins = 15 } = checkKeys(options, { bins: true }, 'expectedCalibrationError');
  assertSameLength('right', right, confidences);
  const gaps = new Float64Array(bins);
  for (let i = 0; i < confidences.length; i++) {
    const confidence = confidences[i] as number;
    if (!(confidence >= 0 && confidence <= 1)) {
      throw new OptionError(
        `The confidence of prediction ${i} is ${confidence}; a probability is in [0, 1].`,
        {
          option: 'confidences',
          value: confidence,
          accepted: 'numbers in [0, 1]',
        },
      );
    }
    const bin = Math.max(0, Math.ceil(confidence * bins) - 1);
    gaps[bin] = (gaps[bin] as number) + Number(right[i]) - confidence;
  }
  return share(
    gaps.reduce((sum, gap) => sum + Math.abs(gap), 0),
    confidences.length,
  );
}

/**
 * Mean absolute percentage error of a regression, in percent.
 *
 * MAPE = 100/N · Σ |(y − ŷ) / y|
 *
 * @param targets y, none of them 0.
 * @param predictions ŷ, as many.
 * @throws {ShapeError} If the lengths differ.
 * @throws {OptionError} If a target is 0, for which the error is not defined.
 * @see G2D, Sec. 4.1 (MIS-ME)
 */
export function meanAbsolutePercentageError(
  targets: ArrayLike<number>,
  predictions: ArrayLike<number>,
): number {
  assertSameLength('predictions', predictions, targets);
  let sum = 0;
  for (let i = 0; i < targets.length; i++) {
    const target = targets[i] as number;
    if (target === 0) {
      throw new OptionError(
        `Target ${i} is 0, and a percentage of 0 is not defined. Leave such samples out, or look at R².`,
        { option: 'targets', value: 0, accepted: 'numbers other than 0' },
      );
    }
    sum += Math.abs((target - (predictions[i] as number)) / target);
  }
  return targets.length === 0 ? 0 : (100 * sum) / targets.length;
}

/**
 * Coefficient of determination of a regression: 1 is perfect, 0 as good as the mean of the targets, below is worse.
 *
 * R² = 1 − Σ (y − ŷ)² / Σ (y − ȳ)²
 *
 * @param targets y.
 * @param predictions ŷ, as many.
 * @returns NaN where all targets are equal: there is nothing to explain.
 * @throws {ShapeError} If the lengths differ.
 * @see G2D, Sec. 4.1 (MIS-ME)
 */
export function rSquared(targets: ArrayLike<number>, predictions: ArrayLike<number>): number {
  assertSameLength('predictions', predictions, targets);
  const mean = Array.from(targets).reduce((sum, target) => sum + target, 0) / targets.length;
  let residual = 0;
  let total = 0;
  for (let i = 0; i < targets.length; i++) {
    const target = targets[i] as number;
    residual += (target - (predictions[i] as number)) ** 2;
    total += (target - mean) ** 2;
  }
  return total === 0 ? NaN : 1 - residual / total;
}

function assertSameLength(argument: string, actual: ArrayLike<unknown>, expected: ArrayLike<unknown>): void {
  if (actual.length !== expected.length) {
    throw new ShapeError({
      argument,
      expected: `[${expected.length}], one for each sample`,
      actual: [actual.length],
    });
  }
}

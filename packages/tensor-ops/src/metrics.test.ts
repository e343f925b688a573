import { describe, expect, it } from 'vitest';
import {
  classScores,
  confusionMatrix,
  expectedCalibrationError,
  macroF1,
  meanAbsolutePercentageError,
  rSquared,
} from './metrics.js';
import { measureClasses } from './measure.js';

// Values of scikit-learn's precision_recall_fscore_support, f1_score, mean_absolute_percentage_error and r2_score.
const matrix = confusionMatrix([0, 0, 1, 1, 1, 2, 2, 0, 3], [0, 1, 1, 1, 2, 2, 0, 0, 1], 4);

describe('classScores', () => {
  it('gives precision, recall and F1 of every class', () => {
    const scores = classScores(matrix);
    expect(scores.map(({ support }) => support)).toEqual([3, 3, 2, 1]);
    expect(scores[1]!.precision).toBeCloseTo(50, 10);
    expect(scores[1]!.recall).toBeCloseTo(66.66666667, 7);
    expect(scores[1]!.f1).toBeCloseTo(57.14285714, 7);
    expect(scores[3]).toEqual({ precision: 0, recall: 0, f1: 0, support: 1 });
  });
});

describe('macroF1', () => {
  it('is the mean over the classes that occur', () => {
    expect(macroF1(matrix)).toBeCloseTo(43.452380952, 8);
    // A fifth class that nobody has or predicts changes nothing.
    expect(macroF1([...matrix.map((row) => [...row, 0]), [0, 0, 0, 0, 0]])).toBeCloseTo(43.452380952, 8);
  });
});

describe('expectedCalibrationError', () => {
  it('weighs the gaps of the bins, computed by hand', () => {
    // (0.5, 1]: mean confidence 0.8, half right: gap 0.3 on 2 of 3; [0, 0.5]: 0.5, wrong: gap 0.5 on 1 of 3.
    const error = expectedCalibrationError([0.9, 0.7, 0.5], [true, false, false], { bins: 2 });
    expect(error).toBeCloseTo((100 * (2 * 0.3 + 0.5)) / 3, 10);
    expect(expectedCalibrationError([1, 1], [true, true])).toBe(0);
    expect(() => expectedCalibrationError([1.5], [true])).toThrow(/probability is in \[0, 1\]/);
  });
});

describe('regression metrics', () => {
  const [targets, predictions] = [
    [0.2, 0.25, 0.4, 0.31],
    [0.22, 0.2, 0.38, 0.35],
  ];

  it('equal scikit-learn', () => {
    expect(meanAbsolutePercentageError(targets!, predictions!)).toBeCloseTo(11.9758064516, 9);
    expect(rSquared(targets!, predictions!)).toBeCloseTo(0.7792792793, 9);
  });

  it('say what they are not defined for', () => {
    expect(() => meanAbsolutePercentageError([1, 0], [1, 1])).toThrow(/Target 1 is 0/);
    expect(() => rSquared([1, 2], [1])).toThrow(/predictions/);
    expect(rSquared([1, 1], [1, 2])).toBeNaN();
  });
});

describe('measureClasses', () => {
  it('has the mean probability of the true class, over the samples that count', () => {
    // e^z are (1, 3), (1, 1) and (4, 1): the true classes get 3/4, 1/2 and 1/5.
    const rows = [[0, Math.log(3)], [2, 2], [Math.log(4), 0]].map((row) => Float32Array.from(row)); // prettier-ignore
    const head = { ids: ['a', 'b', 'c'], labels: [1, 0, 1], rows, name: 'fused', classes: 2 };
    expect(measureClasses(head).metrics.confidence).toBeCloseTo((0.75 + 0.5 + 0.2) / 3, 7);
    expect(measureClasses({ ...head, mask: [1, 0, 1] }).metrics.confidence).toBeCloseTo(0.95 / 2, 7);
    expect(measureClasses({ ...head, mask: [0, 0, 0] }).metrics.confidence).toBeNaN();
  });
});

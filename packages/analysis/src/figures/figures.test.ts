import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRun } from '../read-run.js';
import type { EpochMetrics } from '../run.js';
import { confidenceRatio } from './confidence-ratio.js';
import { alignmentBaseline, featureAlignment } from './feature-alignment.js';
import { featureGap, relativeFeatureGap } from './feature-gap.js';
import { scoreGap } from './score-gap.js';
import { teacherConfidenceRatio } from './teacher-confidence-ratio.js';

const float32 = (...rows: readonly number[][]): Float32Array[] => rows.map((row) => Float32Array.from(row));

describe('scoreGap', () => {
  it('is the largest minus the smallest score, without the fused one', () => {
    expect(scoreGap({ audio: 62, image: 41.5 })).toBe(20.5);
    expect(scoreGap({ fused: 99, image: 41.5, audio: 62, text: 50 })).toBe(20.5);
    expect(scoreGap({ audio: 40, image: 40 })).toBe(0);
  });

  it('takes what a run folder says', () => {
    const { test } = readRun(join(import.meta.dirname, '../../fixtures/run-group/g2d')).summary;
    expect(scoreGap(test)).toBe(Math.abs((test['audio'] as number) - (test['image'] as number)));
    expect(scoreGap(test)).toBeGreaterThan(0);
  });

  it('says what is wrong with its argument', () => {
    expect(() => scoreGap({})).toThrow('two modalities or more; there is none');
    expect(() => scoreGap({ fused: 70, audio: 62 })).toThrow('two modalities or more; there is audio');
    expect(() => scoreGap({ audio: 62, image: NaN })).toThrow('The score of image is NaN');
  });
});

describe('featureGap', () => {
  it('is the distance between the centroids of normalized rows', () => {
    // (1, 0) and (0, 1) have the centroid (½, ½); from there to (−1, 0): √(1.5² + 0.5²).
    expect(featureGap([[2, 0], [0, 3]], [[-1, 0]])).toBeCloseTo(Math.sqrt(2.5), 14); // prettier-ignore
    // (0.6, 0.8) and (0.8, 0.6) have (0.7, 0.7); (−0.6, 0.8) twice has itself.
    expect(featureGap(float32([3, 4], [8, 6]), float32([-3, 4], [-6, 8]))).toBeCloseTo(
      Math.hypot(1.3, 0.1),
      14,
    );
  });

  it('does not depend on lengths or order, and is 0 for the same and 2 for opposite directions', () => {
    expect(featureGap([[1, 2], [3, 1]], [[30, 10], [0.1, 0.2]])).toBeCloseTo(0, 14); // prettier-ignore
    expect(featureGap([[0, 5]], [[0, -1e-3]])).toBe(2);
    expect(featureGap([[1e200, 0]], [[0, 1e-200]])).toBeCloseTo(Math.SQRT2, 14);
  });

  it('counts a row of zeros as zeros', () => {
    expect(featureGap([[4, 0], [0, 0]], [[0, 0]])).toBe(0.5); // prettier-ignore
  });

  it('says what is wrong with its arguments', () => {
    expect(() => featureGap([], [[1]])).toThrow('`first` has no rows');
    expect(() => featureGap([[1]], [])).toThrow('`second` has no rows');
    expect(() => featureGap([[1, 2]], [[1, 2, 3]])).toThrow(
      '`second` has shape [1, 3]; expected [any, 2], as wide as the first',
    );
  });
});

describe('featureAlignment', () => {
  it('is the mean cosine similarity of the rows', () => {
    // (3·4 + 4·3) / (5·5) = 0.96, 0, and −1.
    const student = float32([3, 4], [1, 0], [2, 1]);
    const teacher = float32([4, 3], [0, 2], [-4, -2]);
    expect(featureAlignment(student.slice(0, 2), teacher.slice(0, 2))).toBeCloseTo(0.48, 14);
    expect(featureAlignment(student, teacher)).toBeCloseTo((0.96 + 0 - 1) / 3, 14);
  });

  it('compares row with row', () => {
    const [rows, swapped] = [[[1, 0], [0, 1]], [[0, 1], [1, 0]]]; // prettier-ignore
    expect(featureAlignment(rows, rows)).toBe(1);
    expect(featureAlignment(rows, swapped)).toBe(0);
  });

  it('stays within 1, and depends on directions alone', () => {
    const rows = Array.from({ length: 50 }, (_, i) => [0.1 + i, 0.2, -0.3 * i, 0.7]);
    const longer = rows.map((row) => row.map((value) => value * 1e-170));
    expect(featureAlignment(rows, longer)).toBeLessThanOrEqual(1);
    expect(featureAlignment(rows, longer)).toBeCloseTo(1, 14);
  });

  it('counts a row without a direction as 0', () => {
    expect(featureAlignment([[0, 0], [1, 1]], [[1, 2], [2, 2]])).toBeCloseTo(0.5, 14); // prettier-ignore
  });

  it('says what is wrong with its arguments', () => {
    expect(() => featureAlignment([], [])).toThrow('`student` has no rows');
    expect(() => featureAlignment([[1]], [])).toThrow('`teacher` has no rows');
    expect(() => featureAlignment([[1, 2]], [[1, 2], [3, 4]])).toThrow('`teacher` has shape [2, 2]; expected [1, 2]'); // prettier-ignore
    expect(() => featureAlignment([[1, 2]], [[1, 2, 3]])).toThrow(
      '`teacher` has shape [1, 3]; expected [1, 2]',
    );
    expect(() => featureAlignment([[1, 2], [1]], [[1, 2]])).toThrow('`student[1]` has shape [1]; expected [2]'); // prettier-ignore
    expect(() => featureAlignment([[]], [[]])).toThrow('expected [D] with D of at least 1');
    expect(() => featureAlignment([[1, 2]], [[1, NaN]])).toThrow('`teacher[0]` holds NaN');
  });
});

describe('teacherConfidenceRatio', () => {
  const epoch = (number: number, confidence?: Record<string, number>): EpochMetrics => ({
    epoch: number,
    loss: { total: 1 },
    train: {},
    ...(confidence && { confidence }),
  });

  it('divides one confidence by the other, where an epoch has both', () => {
    const metrics = [epoch(1, { audio: 0.9, image: 0.3 }), epoch(2), epoch(3, { audio: 0.5 }), epoch(4, { audio: 0.2, image: 0.8 })]; // prettier-ignore
    const ratios = teacherConfidenceRatio(metrics, 'audio', 'image');
    expect(ratios.map(({ epoch: number }) => number)).toEqual([1, 4]);
    expect(ratios[0]?.ratio).toBeCloseTo(3, 14);
    expect(ratios[1]?.ratio).toBe(0.25);
    expect(teacherConfidenceRatio(metrics, 'image', 'audio')[1]?.ratio).toBe(4);
  });

  it('is empty for a run without confidences, and refuses a modality that has none', () => {
    expect(teacherConfidenceRatio([epoch(1)], 'audio', 'image')).toEqual([]);
    expect(() => teacherConfidenceRatio([epoch(1, { audio: 0.9, image: 0.3 })], 'audio', 'video')).toThrow(
      'has no modality "video". Known modalities: audio, image',
    );
  });
});

describe('relativeFeatureGap', () => {
  it('is the gap over the mean spread of the two', () => {
    // (1, 0) and (0, 1) are √½ from their centroid; one row is 0 from its own.
    expect(relativeFeatureGap([[2, 0], [0, 3]], [[-1, 0]])).toBeCloseTo(Math.sqrt(2.5) / (Math.SQRT1_2 / 2), 12); // prettier-ignore
    // Both √½: (½, ½) to (−½, −½) is √2.
    expect(relativeFeatureGap([[1, 0], [0, 1]], [[-1, 0], [0, -5]])).toBeCloseTo(2, 12); // prettier-ignore
  });

  it('is infinite without any spread, and no number without a gap either', () => {
    expect(relativeFeatureGap([[1, 0]], [[0, 1]])).toBe(Infinity);
    expect(relativeFeatureGap([[1, 0]], [[2, 0]])).toBeNaN();
  });
});

describe('alignmentBaseline', () => {
  it('is the mean cosine similarity over all pairs of different samples', () => {
    const student = float32([3, 4], [1, 0], [0, 2]);
    const teacher = float32([4, 3], [0, 2], [1, 0]);
    // Row by row: (3,4)/5 against (0,1) and (1,0): 0.8, 0.6; (1,0) against (4,3)/5 and (1,0): 0.8, 1; (0,1): 0.6, 1.
    expect(alignmentBaseline(student, teacher)).toBeCloseTo((0.8 + 0.6 + 0.8 + 1 + 0.6 + 1) / 6, 7);
    expect(alignmentBaseline(student.slice(0, 2), teacher.slice(0, 2))).toBeCloseTo(0.8, 7);
  });

  it('is what is left of an alignment that is no agreement', () => {
    const rows = [[1, 1, 0], [1, 0, 1], [1, 0.5, 0.5]]; // prettier-ignore
    expect(featureAlignment(rows, rows)).toBeCloseTo(1, 14);
    expect(alignmentBaseline(rows, rows)).toBeGreaterThan(0.5);
    expect(alignmentBaseline([[1, 0], [0, 1]], [[1, 0], [0, 1]])).toBe(0); // prettier-ignore
  });

  it('needs another sample, and the same rows', () => {
    expect(alignmentBaseline([[1, 0]], [[1, 0]])).toBeNaN();
    expect(() => alignmentBaseline([[1]], [])).toThrow('`teacher` has no rows');
    expect(() => alignmentBaseline([[1, 2]], [[1, 2, 3]])).toThrow('`teacher` has shape [1, 3]');
  });
});

describe('confidenceRatio', () => {
  it('is the student’s confidence over the teacher’s', () => {
    expect(confidenceRatio({ student: 0.3, teacher: 0.6 })).toBe(0.5);
    expect(confidenceRatio({ student: 0, teacher: 1 })).toBe(0);
    expect(confidenceRatio({ student: 0.5, teacher: 0 })).toBe(Infinity);
    expect(confidenceRatio({ student: NaN, teacher: 0.5 })).toBeNaN();
  });

  it('refuses what is no mean probability, and other keys', () => {
    expect(() => confidenceRatio({ student: 84, teacher: 0.5 })).toThrow('`student` is 84; a confidence is');
    expect(() => confidenceRatio({ student: 0.5, teacher: -0.1 })).toThrow('`teacher` is -0.1');
    expect(() => confidenceRatio({ student: 0.5, teacher: 0.5, of: 1 } as never)).toThrow('of');
  });
});

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRun } from '../read-run.js';
import type { EpochMetrics } from '../run.js';
import { confidenceRatio } from './confidence-ratio.js';
import { featureAlignment } from './feature-alignment.js';
import { featureGap } from './feature-gap.js';
import { modalityGap } from './modality-gap.js';

const float32 = (...rows: readonly number[][]): Float32Array[] => rows.map((row) => Float32Array.from(row));

describe('modalityGap', () => {
  it('is the largest minus the smallest score, without the fused one', () => {
    expect(modalityGap({ audio: 62, image: 41.5 })).toBe(20.5);
    expect(modalityGap({ fused: 99, image: 41.5, audio: 62, text: 50 })).toBe(20.5);
    expect(modalityGap({ audio: 40, image: 40 })).toBe(0);
  });

  it('takes what a run folder says', () => {
    const { test } = readRun(join(import.meta.dirname, '../../fixtures/run-group/g2d')).summary;
    expect(modalityGap(test)).toBe(Math.abs((test['audio'] as number) - (test['image'] as number)));
    expect(modalityGap(test)).toBeGreaterThan(0);
  });

  it('says what is wrong with its argument', () => {
    expect(() => modalityGap({})).toThrow('two modalities or more; there is none');
    expect(() => modalityGap({ fused: 70, audio: 62 })).toThrow('two modalities or more; there is audio');
    expect(() => modalityGap({ audio: 62, image: NaN })).toThrow('The score of image is NaN');
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

describe('confidenceRatio', () => {
  const epoch = (number: number, confidence?: Record<string, number>): EpochMetrics => ({
    epoch: number,
    loss: { total: 1 },
    train: {},
    ...(confidence && { confidence }),
  });

  it('divides one confidence by the other, where an epoch has both', () => {
    const metrics = [epoch(1, { audio: 0.9, image: 0.3 }), epoch(2), epoch(3, { audio: 0.5 }), epoch(4, { audio: 0.2, image: 0.8 })]; // prettier-ignore
    const ratios = confidenceRatio(metrics, 'audio', 'image');
    expect(ratios.map(({ epoch: number }) => number)).toEqual([1, 4]);
    expect(ratios[0]?.ratio).toBeCloseTo(3, 14);
    expect(ratios[1]?.ratio).toBe(0.25);
    expect(confidenceRatio(metrics, 'image', 'audio')[1]?.ratio).toBe(4);
  });

  it('is empty for a run without confidences, and refuses a modality that has none', () => {
    expect(confidenceRatio([epoch(1)], 'audio', 'image')).toEqual([]);
    expect(() => confidenceRatio([epoch(1, { audio: 0.9, image: 0.3 })], 'audio', 'video')).toThrow(
      'has no modality "video". Known modalities: audio, image',
    );
  });
});

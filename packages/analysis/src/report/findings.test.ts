import { describe, expect, it } from 'vitest';
import { gapsToTeachers, isHowGood, losses, pointsList, samplingError, seedsError } from './findings.js';

const plain = (text: string): string => text.replaceAll('\u00a0', ' ');

describe('sentences of findings', () => {
  it('say how good an answer is, by its accuracy or its error', () => {
    expect(plain(isHowGood(84.25, 'classification'))).toBe('right on 84.2 % of the test samples');
    expect(plain(isHowGood(50, 'classification', { split: 'validation', seeds: 'with one seed' }))).toBe(
      'right on 50.0 % of the validation samples with one seed',
    );
    expect(plain(isHowGood(12, 'regression'))).toBe('12.0 % off on average on the test split (MAPE)');
    expect(plain(isHowGood(12, 'regression', { seeds: 'on average over 3 seeds' }))).toBe(
      '12.0 % off on the test split (MAPE) on average over 3 seeds',
    );
  });

  it('measure heads against their teachers, and less error as better', () => {
    const gaps = gapsToTeachers({ audio: 40, image: 20 }, { audio: 45, image: 70, touch: 90 });
    expect(gaps.map(({ modality, gap }) => [modality, gap])).toEqual([
      ['image', 50],
      ['audio', 5],
    ]);
    expect(gapsToTeachers({ audio: 40 }, { audio: 45 }, true)[0]?.gap).toBe(-5);
  });

  it('name what another method had more of', () => {
    const before = { audio: 60, image: 40 };
    expect(losses(before, { audio: 50, image: 39, touch: 1 }).map(plain)).toEqual(['10.0 points of audio']);
    expect(losses(before, { audio: 50, image: 45 }, true).map(plain)).toEqual(['5.0 points of image']);
  });

  it('say nothing where nothing was measured', () => {
    expect(samplingError(0, undefined, 50)).toEqual([]);
    expect(samplingError(0, 0, 50)).toEqual([]);
    expect(samplingError(0, 100, undefined)).toEqual([]);
    expect(seedsError([1, 1], 0.95)).toEqual([]);
    expect(pointsList([])).toBeUndefined();
  });
});

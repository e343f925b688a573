import { describe, expect, it } from 'vitest';
import { costWords, stepOf } from './cost.js';

describe('stepOf', () => {
  it.each([
    // One pass each way is a joint step; a backward one costs two forward ones.
    ['joint', false, 1],
    ['ogm-ge', false, 1],
    // Three forward and three backward passes with two modalities.
    ['agm', false, 3],
    ['umt', true, 1.3],
  ] as const)('%s with teachers: %s', (method, hasTeachers, expected) => {
    expect(stepOf(method, hasTeachers)).toBeCloseTo(expected, 1);
  });

  it('is dearer for several passes, and takes any stack', () => {
    expect(stepOf('mm-pareto', false)).toBeGreaterThan(1.5);
    expect(stepOf('umt+smp', true)).toBeLessThanOrEqual(stepOf('umt', true));
  });
});

describe('costWords', () => {
  it('has minutes for little, and no hours where nobody knows', () => {
    expect(costWords({ steps: 1234, hours: 0.05, source: 'by runs' })).toBe(
      '1,234 joint steps, about 3.0 minutes (by runs)',
    );
    expect(costWords({ steps: 1, source: 'not known' })).toBe('1 joint steps (not known)');
  });
});

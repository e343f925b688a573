import { describe, expect, it } from 'vitest';
import type { PlannedRun } from '@g2d/runs';
import type { RunResult } from '../results/run-result.js';
import { costOf, costWords, stepOf } from './cost.js';

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

describe('costOf', () => {
  const run = (id: string, epochs: number): PlannedRun => ({
    id,
    config: {
      method: 'joint',
      batchSize: 10,
      epochs,
      encoders: { a: {}, b: {} },
    } as unknown as PlannedRun['config'],
    needs: [],
  });
  const timed = (own: PlannedRun, seconds: number, isOwn: boolean) => ({
    run: own,
    result: { seconds } as RunResult,
    isOwn,
  });
  const cost = (results: readonly ReturnType<typeof timed>[]) =>
    costOf([run('open', 20)], {
      datasets: new Map(['open', 'here', 'there'].map((id) => [id, 'toys'])),
      sizes: new Map([['toys', 100]]),
      results,
    });

  it('takes the seconds of a step from runs here, else from those of other machines, else from nowhere', () => {
    // 10 steps an epoch: 100 steps in 50 s, and in 10 s.
    const there = timed(run('there', 10), 50, false);
    expect(cost([timed(run('here', 10), 10, true), there])).toEqual({
      steps: 200,
      hours: 20 / 3600,
      source: 'by the runs that are finished, one at a time',
    });
    expect(cost([there])).toEqual({
      steps: 200,
      hours: 100 / 3600,
      source: 'by runs of other machines, one at a time',
    });
    expect(cost([])).toMatchObject({ steps: 200, source: expect.stringMatching(/^how long a step of toys/) });
    expect(cost([])).not.toHaveProperty('hours');
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

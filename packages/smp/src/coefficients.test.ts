// Ranking, schedule and coefficients: Eq. 6 and 7 and Table 6, as functions of numbers.
import { describe, expect, it } from 'vitest';
import { modulationCoefficients } from './modulation-coefficients.js';
import { prioritizedModalities } from './prioritized-modalities.js';
import { rankModalities } from './rank-modalities.js';

describe('rankModalities', () => {
  it('puts the least confident first, keeps the order of ties and leaves out who is absent', () => {
    expect(rankModalities({ audio: 0.9, video: 0.2, text: 0.5 })).toEqual(['video', 'text', 'audio']);
    expect(rankModalities({ b: 0.5, a: 0.5 })).toEqual(['b', 'a']);
    expect(rankModalities({ audio: 0.9, video: null, text: 0 })).toEqual(['text', 'audio']);
  });
});

describe('prioritizedModalities', () => {
  it('follows Eq. 6 at every boundary for three modalities and (75, 75, 150)', () => {
    const at = (epoch: number) => prioritizedModalities(['t', 'v', 'a'], epoch, [75, 75, 150]);
    expect([1, 75, 76, 150].map((epoch) => at(epoch))).toEqual([['t'], ['t'], ['v'], ['v']]);
    expect([151, 300, 301].map((epoch) => at(epoch))).toEqual([0, 1, 2].map(() => ['t', 'v', 'a']));
  });

  it('ends every phase but the last one epoch later with the released indexing', () => {
    const at = (epoch: number, phases: number[]) =>
      prioritizedModalities(['t', 'v', 'a'].slice(-phases.length), epoch, phases, { schedule: 'released' });
    expect([1, 76, 77, 151].map((e) => at(e, [75, 75, 150]))).toEqual([['t'], ['t'], ['v'], ['v']]);
    expect([152, 300, 301].map((e) => at(e, [75, 75, 150]))).toEqual([0, 1, 2].map(() => ['t', 'v', 'a']));
    // τ = 150 is 151 epochs.
    expect([1, 151, 152].map((e) => at(e, [150, 150]))).toEqual([['v'], ['v'], ['v', 'a']]);
    // A first phase of 0 epochs has one, a later one none.
    expect([1, 2].map((e) => at(e, [0, 300]))).toEqual([['v'], ['v', 'a']]);
    expect([1, 2, 3, 4].map((e) => at(e, [0, 2, 10]))).toEqual([['t'], ['v'], ['v'], ['t', 'v', 'a']]);
    expect([1, 2, 3, 4].map((e) => at(e, [2, 0, 10]))).toEqual([['t'], ['t'], ['t'], ['t', 'v', 'a']]);
    expect(at(1, [5])).toEqual(['a']);
  });

  it('skips a phase of length 0', () => {
    expect(prioritizedModalities(['v', 'a'], 1, [0, 10])).toEqual(['v', 'a']);
    expect(prioritizedModalities(['t', 'v', 'a'], 1, [0, 2, 10])).toEqual(['v']);
  });

  it('is always all of one modality', () => {
    expect(prioritizedModalities(['a'], 1, [5])).toEqual(['a']);
  });

  it('takes the last one of a ranking that is shorter, and none of an empty one', () => {
    expect(prioritizedModalities(['t', 'a'], 1, [1, 1, 1])).toEqual(['t']);
    expect(prioritizedModalities(['t', 'a'], 2, [1, 1, 1])).toEqual(['a']);
    expect(prioritizedModalities(['a'], 2, [1, 1, 1])).toEqual(['a']);
    expect(prioritizedModalities([], 1, [1, 1])).toEqual([]);
  });

  it('takes all that are as confident as the prioritized one', () => {
    const at = (epoch: number, t: number, v: number, a: number) =>
      prioritizedModalities(['t', 'v', 'a'], epoch, [1, 1, 1], { confidence: { t, v, a } });
    expect([at(1, 0.2, 0.2, 0.5), at(2, 0.2, 0.2, 0.5)]).toEqual([
      ['t', 'v'],
      ['t', 'v'],
    ]);
    expect([at(1, 0.2, 0.5, 0.5), at(2, 0.2, 0.5, 0.5)]).toEqual([['t'], ['v', 'a']]);
    expect(at(1, 0.5, 0.5, 0.5)).toEqual(['t', 'v', 'a']);
  });
});

describe('modulationCoefficients', () => {
  it('is 1 for the prioritized and 0 for the others', () => {
    expect(modulationCoefficients(['a', 'v'], ['v'])).toEqual({ a: 0, v: 1 });
  });

  it('is 1 − tanh of the ratio of confidences with partial suppression', () => {
    const partial = (a: number | null, v: number) => modulationCoefficients(['a', 'v'], ['v'], { a, v });
    expect(partial(0.9, 0.6).a).toBeCloseTo(0.0948517, 6);
    expect(partial(0.5, 0.5)).toEqual({ a: 1 - Math.tanh(1), v: 1 });
    // Less confident than the prioritized one, in the second phase of three.
    expect(partial(0.3, 0.6).a).toBeCloseTo(0.5378828, 6);
    expect(partial(0, 0.6)).toEqual({ a: 1, v: 1 });
    expect(partial(0, 0)).toEqual({ a: 1 - Math.tanh(1), v: 1 });
    expect(partial(0.6, 0)).toEqual({ a: 0, v: 1 });
    expect(partial(null, 0.6)).toEqual({ a: 0, v: 1 });
  });
});

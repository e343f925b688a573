import { describe, expect, it } from 'vitest';
import { rowsOf } from './format.js';
import { networks } from './networks.js';
import type { Comparison, Program } from './programs.js';
import { ratioOf, type Measurement } from './ratios.js';

const program = (name: string, side: Program['side'] = 'ours'): Program => ({
  name,
  side,
  network: networks['mis-me']!,
  args: [],
});
const measured = (...each: readonly [min: number, median: number, peakRssMB: number][]): Measurement[] =>
  each.map(([min, median, peakRssMB]) => ({ min, median, peakRssMB }));

const comparison: Comparison = {
  dataset: 'mis-me',
  name: 'joint step',
  ours: { name: 'ours', programs: [program('a')] },
  against: [
    { name: 'slow', programs: [program('slow', 'pytorch')] },
    { name: 'fast', programs: [program('fast', 'pytorch')] },
  ],
  goal: 0.7,
  memoryGoal: 1,
};
const rounds = new Map([
  ['a', measured([10, 12, 100], [8, 30, 300], [9, 13, 200])],
  ['slow', measured([40, 50, 100], [30, 50, 100], [30, 50, 100])],
  ['fast', measured([20, 24, 250], [16, 20, 250], [17, 26, 250])],
]);

describe('ratioOf', () => {
  it('takes the fastest steps, the medians of the rounds, and the other side that is fastest', () => {
    expect(ratioOf(comparison, rounds, true)).toEqual({
      dataset: 'mis-me',
      name: 'joint step',
      ours: { name: 'ours', min: 8, median: 13, peakRssMB: 200 },
      against: { name: 'fast', min: 16, median: 24, peakRssMB: 250 },
      minima: 0.5,
      medians: 13 / 24,
      rounds: [0.5, 1.5],
      memory: 0.8,
      goal: 0.7,
      memoryGoal: 1,
    });
  });

  it('averages phases, of whose memories the larger one counts', () => {
    const phases: Comparison = {
      ...comparison,
      ours: { name: 'ours', programs: [program('a'), program('slow')] },
      against: [{ name: 'fast', programs: [program('fast')] }],
    };
    expect(ratioOf(phases, rounds, false)).toMatchObject({
      // (10 + 40) / 2, (8 + 30) / 2, (9 + 30) / 2
      ours: { min: 19, median: 31.5, peakRssMB: 200 },
      minima: 19 / 16,
    });
  });

  it('leaves out goals that are meant for other sizes', () => {
    expect(ratioOf(comparison, rounds, false)).not.toHaveProperty('goal');
    expect(ratioOf(comparison, rounds, false)).not.toHaveProperty('memoryGoal');
  });
});

describe('rowsOf', () => {
  it('shows a result under its header, and whether it is within its goals', () => {
    const ratio = ratioOf(comparison, rounds, true);
    const [header, met, missed] = rowsOf([ratio, { ...ratio, minima: 0.71, memory: 1.2 }]);
    expect(met).toEqual([
      'MIS-ME',
      'joint step',
      '8',
      'fast',
      '16',
      '0.50',
      '0.54 (0.50 – 1.50)',
      '≤ 0.7 ✓',
      '200 / 250',
      '0.80',
      '≤ 1 ✓',
    ]);
    expect(header).toHaveLength(met!.length);
    expect([missed![7], missed![10]]).toEqual(['≤ 0.7 ✗', '≤ 1 ✗']);
  });
});

import { describe, expect, it } from 'vitest';
import { BETWEEN, operationRows } from './operation-rows.js';
import type { RecordedStage, TimedCall } from './operation-times.js';

// 1 GFLOP/s and 1 GB/s: a million of either takes a millisecond.
const limits = { gigaflopsPerSecond: 1, gigabytesPerSecond: 1, threads: 2 };

/** 2 · `depth` million operations, and 8 million bytes and some. */
const product = (depth: number, ms: number): TimedCall => ({
  operation: 'MatMul',
  attributes: [],
  inputs: [1000, 1000].map((rows) => ({ shape: [rows, depth], bytes: 4 })),
  outputs: [{ shape: [1000, 1000], bytes: 4 }],
  ms,
});

/** 8 bytes for each. */
const other = (operation: string, size: number, ms: number): TimedCall => ({
  operation,
  attributes: [],
  inputs: [{ shape: [size], bytes: 4 }],
  outputs: [{ shape: [size], bytes: 4 }],
  ms,
});

/** Steps of 100 ms. */
const alone = (...steps: TimedCall[][]): RecordedStage[] => [
  { share: 1, steps: steps.map((calls) => ({ ms: 100, calls })) },
];

describe('operationRows', () => {
  it('adds up calls, and takes of each the side that limits it', () => {
    // 20 and 4 ms by multiplications; the second writes 4 MB and reads 16 kB, which takes 4.016.
    const rows = operationRows(alone([product(10, 30), product(2, 10), other('Relu', 1e6, 40)]), limits);
    expect(rows).toEqual([
      expect.objectContaining({ operation: 'MatMul', calls: 2, ms: 40, share: 0.4 }),
      { operation: 'Relu', calls: 1, ms: 40, share: 0.4, gigabytesPerSecond: 0.2, ofLimit: 0.2 },
      { operation: BETWEEN, ms: 20, share: 0.2 },
    ]);
    expect(rows[0]?.gigaflopsPerSecond).toBeCloseTo(24 / 40, 10);
    expect(rows[0]?.gigaflops).toBeCloseTo(0.024, 10);
    expect(rows[0]).not.toHaveProperty('gigabytesPerSecond');
    expect(rows[0]?.ofLimit).toBeCloseTo((20 + 4.016) / 40, 10);
  });

  it('puts together what is below 1 % of the step, and adds up to it', () => {
    const small = ['Abs', 'Cast', 'Exp'].map((name) => other(name, 1e5, 0.9));
    const rows = operationRows(alone([other('Relu', 1e6, 80), ...small]), limits);
    expect(rows.map(({ operation }) => operation)).toEqual(['Relu', '3 others', BETWEEN]);
    expect(rows[1]).toMatchObject({ calls: 3 });
    expect(rows[1]?.ofLimit).toBeCloseTo((3 * 0.8) / 2.7, 10);
    expect(rows.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(100, 10);
    expect(rows.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 10);
    const one = operationRows(alone([other('Relu', 1e6, 80), ...small.slice(0, 1)]), limits);
    expect(one.map(({ operation }) => operation)).toEqual(['Relu', '1 other', BETWEEN]);
  });

  it('takes the mean of the faster half of the steps', () => {
    const step = (ms: number, ...parts: number[]) => ({
      ms,
      calls: parts.map((each) => other('Relu', 1e6, each)),
    });
    const steps = [step(90, 10, 20), step(900, 500, 300), step(110, 20, 30)];
    expect(operationRows([{ share: 1, steps }], limits)).toMatchObject([
      { operation: 'Relu', calls: 2, ms: 40 },
      { operation: BETWEEN, ms: 60 },
    ]);
  });

  it('takes the mean of stages by their share of a training', () => {
    const stages = [
      { share: 0.75, steps: [{ ms: 100, calls: [other('Relu', 1e6, 40), other('Abs', 1e6, 20)] }] },
      { share: 0.25, steps: [{ ms: 120, calls: [other('Relu', 1e6, 80)] }] },
    ];
    expect(operationRows(stages, limits)).toMatchObject([
      { operation: 'Relu', calls: 1, ms: 50 },
      { operation: 'Abs', calls: 0.75, ms: 15 },
      { operation: BETWEEN, ms: 40 },
    ]);
  });
});

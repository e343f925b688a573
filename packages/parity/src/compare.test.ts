import { describe, expect, it } from 'vitest';
import { compare, exceeds, ratio, type Check } from './compare.js';
import type { Quantity, Table } from './outline.js';
import type { Expectation, Value } from './read-expected.js';

const quantity = (holds: Quantity['holds']): Quantity => ({ path: ['q'], holds, origin: 'forward' });

function check(holds: Quantity['holds'], truth: Value, deviation: number, result: Value): Check {
  const expectation: Expectation = { quantity: quantity(holds), truth, deviation };
  return compare([expectation], new Map([['q', result]]))[0]!;
}

const parameters: Table = {
  path: ['parameters'],
  columns: ['grad0L2', 'grad0Proj', 'sum', 'l2', 'deltaL2', 'deltaProj', 'momentumL2', 'momentumProj'],
  deviations: ['grad0', 'delta', 'momentum'],
  rows: [{ name: 'w', shape: [128, 128] }],
  origin: 'gradient',
};

/** The checks of one tensor, by column. */
function checkRow(
  table: Table,
  truth: number[],
  deviation: number[],
  result: number[],
): Record<string, Check> {
  const rows = (values: number[]) => new Map([[table.rows[0]!.name, values]]);
  const checks = compare(
    [{ table, truth: rows(truth), deviation: rows(deviation) }],
    new Map([[table.path[0]!, rows(result)]]),
  );
  return Object.fromEntries(table.columns.map((column, i) => [column, checks[i]!]));
}

describe('compare', () => {
  it('allows eight times the deviation of float32', () => {
    expect(check([], 2, 1e-3, 2.007)).toEqual({
      key: 'q',
      deviation: expect.closeTo(0.007, 12),
      tolerance: 8e-3,
      origin: 'forward',
    });
    expect(exceeds(check([], 2, 1e-3, 2.0079))).toBe(false);
    expect(exceeds(check([], 2, 1e-3, 1.9919))).toBe(true);
  });

  it('reckons with at least a millionth of the largest value', () => {
    expect(check([], 2, 0, 2).tolerance).toBeCloseTo(1.6e-5, 12);
    expect(
      check(
        [2, 2],
        [
          [1, -50],
          [0, 0],
        ],
        1e-9,
        [
          [1, -50],
          [0, 0],
        ],
      ).tolerance,
    ).toBeCloseTo(4e-4, 12);
  });

  it('takes the worst entry of an array', () => {
    expect(check([3], [1, 2, 3], 1e-2, [1.01, 1.95, 3]).deviation).toBeCloseTo(0.05, 12);
  });

  it('wants words, booleans, settings and zeros to be equal', () => {
    expect(check('word', 'audio', 0, 'audio')).toMatchObject({ deviation: 0, tolerance: 0, origin: 'exact' });
    expect(exceeds(check('word', 'audio', 0, 'visual'))).toBe(true);
    expect(exceeds(check('boolean', true, 0, false))).toBe(true);
    expect(exceeds(check('setting', 2, 0, 2.0000001))).toBe(true);
    expect(check([], 0, 0, 0)).toMatchObject({ tolerance: 0, origin: 'exact' });
    expect(exceeds(check([], 0, 0, 0))).toBe(false);
    expect(exceeds(check([], 0, 0, 1e-30))).toBe(true);
    expect(exceeds(check([], 0, 1e-6, 7e-6))).toBe(false);
  });

  it('never lets NaN through', () => {
    expect(exceeds(check([], 2, 1, Number.NaN))).toBe(true);
    expect(ratio(check([], 2, 1, Number.NaN))).toBe(Infinity);
    expect(exceeds(check([2], [1, 2], 1, [Number.NaN, 2]))).toBe(true);
  });

  it('gives each column of the parameters the deviation it depends on', () => {
    const truth = [10, 3, 5, 20, 0.5, 0.2, 40, -7];
    const checks = checkRow(parameters, truth, [1e-3, 1e-6, 1e-2], truth);
    expect(
      Object.fromEntries(Object.entries(checks).map(([column, { tolerance }]) => [column, tolerance])),
    ).toEqual({
      grad0L2: expect.closeTo(8e-3, 12),
      grad0Proj: expect.closeTo(8e-3, 12),
      // 4 · 8 · d · √n / 64 with n = 128².
      sum: expect.closeTo(4 * 8e-6 * 2, 15),
      l2: expect.closeTo(8e-6, 15),
      deltaL2: expect.closeTo(8e-6, 15),
      deltaProj: expect.closeTo(8e-6, 15),
      momentumL2: expect.closeTo(8e-2, 12),
      momentumProj: expect.closeTo(8e-2, 12),
    });
    expect(checks['grad0L2']).toMatchObject({ key: 'parameters.w.grad0L2', column: 'parameters.grad0L2' });
  });

  it('bounds single elements by their share of the tensor', () => {
    const gradients: Table = {
      ...parameters,
      path: ['gradients'],
      columns: ['l2', 'e0', 'e1', 'e2', 'proj'],
      deviations: ['value'],
    };
    const truth = [100, 1, 2, 3, 4];
    const checks = checkRow(gradients, truth, [1e-2], [100.01, 1.02, 2, 3, 4]);
    expect(checks['l2']).toMatchObject({ tolerance: 8e-2 });
    // 30 / √n with n = 128².
    expect(checks['e0']?.tolerance).toBeCloseTo((8e-2 * 30) / 128, 12);
    expect(exceeds(checks['e0']!)).toBe(true);
    expect(checks['proj']).toMatchObject({ tolerance: 8e-2 });
  });

  it('takes a tensor that does not change by its own sums, its change as exactly zero', () => {
    const truth = [0, 0, 5, 20, 0, 0, 0, 0];
    const checks = checkRow(parameters, truth, [0, 0, 0], [0, 0, 5 + 1e-13, 20 - 1e-13, 0, 0, 0, 0]);
    expect(Object.values(checks).filter(exceeds)).toEqual([]);
    const moved = checkRow(parameters, truth, [0, 0, 0], [0, 0, 5, 20, 1e-9, 0, 0, 0]);
    expect(Object.values(moved).filter(exceeds)).toMatchObject([
      { key: 'parameters.w.deltaL2', origin: 'exact' },
    ]);
  });
});

import type { Origin, Quantity, Table } from './outline.js';
import type { Expectation, Rows, Value } from './read-expected.js';
import { keyOf } from './strict-json.js';

/** A quantity's distance from the expected value next to the allowed one. */
export interface Check {
  readonly key: string;
  /** In a table: its name and the column's, alike for all tensors. */
  readonly column?: string;
  readonly deviation: number;
  readonly tolerance: number;
  /** `'exact'`: words, booleans, settings and zeros, which must be equal. */
  readonly origin: Origin | 'exact';
}

/** What a case gave, by key: values for quantities, rows for tables. */
export type Results = ReadonlyMap<string, Value | Rows>;

/** How many times PyTorch's own deviation in float32 is allowed. */
export const K = 8;
/** The least deviation that is reckoned with, as a part of the quantity's size. */
export const LEAST = 1e-6;

export const exceeds = ({ deviation, tolerance }: Check): boolean => !(deviation <= tolerance);

/** Deviation in units of the tolerance. */
export function ratio({ deviation, tolerance }: Check): number {
  if (deviation === 0) return 0;
  const units = deviation / tolerance;
  return Number.isNaN(units) ? Infinity : units;
}

/**
 * Sets the results of a case next to what is expected of it.
 *
 * Allowed are 8 · max(d, 10⁻⁶ · size), d being the measured deviation of float32 PyTorch and size the largest value of an
 * array or the L2 norm of a tensor; with factors for sums and single elements of a tensor.
 *
 * @returns One check for each quantity and for each entry of a table, in the order of computation.
 * @see parity cases, format 1, "Tolerances"
 */
export function compare(expectations: readonly Expectation[], results: Results): Check[] {
  return expectations.flatMap((expectation) => {
    const key = keyOf(('table' in expectation ? expectation.table : expectation.quantity).path);
    const result = results.get(key);
    if (result === undefined) throw new Error(`There is no result for ${key}.`);
    return 'table' in expectation
      ? compareTable(key, expectation.table, expectation.truth, expectation.deviation, result as Rows)
      : [
          compareQuantity(
            key,
            expectation.quantity,
            expectation.truth,
            expectation.deviation,
            result as Value,
          ),
        ];
  });
}

const flat = (value: Value): readonly number[] =>
  Array.isArray(value) ? (value as readonly Value[]).flatMap(flat) : [value as number];

function compareQuantity(
  key: string,
  { holds, origin }: Quantity,
  truth: Value,
  d: number,
  result: Value,
): Check {
  if (typeof holds === 'string') {
    return { key, deviation: truth === result ? 0 : Infinity, tolerance: 0, origin: 'exact' };
  }
  const [expected, actual] = [flat(truth), flat(result)];
  const deviation = Math.max(...expected.map((value, i) => Math.abs(value - (actual[i] as number))));
  const tolerance = K * Math.max(d, LEAST * Math.max(...expected.map(Math.abs)));
  return { key, deviation, tolerance, origin: tolerance === 0 ? 'exact' : origin };
}

/** The quantity whose deviation bounds a column, and the column that holds its size. */
const COLUMNS: Readonly<Record<string, { readonly deviation: string; readonly size: string }>> = {
  grad0L2: { deviation: 'grad0', size: 'grad0L2' },
  grad0Proj: { deviation: 'grad0', size: 'grad0L2' },
  // The value is as far off as the change since the start, which is known exactly.
  sum: { deviation: 'delta', size: 'deltaL2' },
  deltaL2: { deviation: 'delta', size: 'deltaL2' },
  deltaProj: { deviation: 'delta', size: 'deltaL2' },
  momentumL2: { deviation: 'momentum', size: 'momentumL2' },
  momentumProj: { deviation: 'momentum', size: 'momentumL2' },
};
const VALUE = { deviation: 'value', size: 'l2' };
const CHANGE = { deviation: 'delta', size: 'deltaL2' };

function compareTable(key: string, table: Table, truth: Rows, deviations: Rows, result: Rows): Check[] {
  const { columns, origin } = table;
  const changes = table.deviations.includes('delta');
  return table.rows.flatMap(({ name, shape }) => {
    const expected = truth.get(name) as readonly number[];
    const actual = result.get(name);
    if (!actual) throw new Error(`There is no result for ${key}.${name}.`);
    const n = shape.reduce((product, size) => product * size, 1);
    const valueOf = (column: string): number => expected[columns.indexOf(column)] as number;
    return columns.map((column, i): Check => {
      const by = COLUMNS[column] ?? (changes ? CHANGE : VALUE);
      const d = deviations.get(name)?.[table.deviations.indexOf(by.deviation)] as number;
      const value = expected[i] as number;
      let tolerance = K * Math.max(d, LEAST * Math.abs(valueOf(by.size))) * factor(column, n);
      // A tensor that does not change at all: its own sums differ by the order of addition in double precision only.
      if (tolerance === 0 && value !== 0) tolerance = 1e-9 * Math.abs(valueOf('l2'));
      const deviation = Math.abs(value - (actual[i] as number));
      return {
        key: `${key}.${name}.${column}`,
        column: `${key}.${column}`,
        deviation,
        tolerance,
        origin: tolerance === 0 ? 'exact' : origin,
      };
    });
  });
}

/** Sums add the errors of n elements; a single element has less than the whole tensor's error. */
function factor(column: string, n: number): number {
  if (column === 'sum') return 4 * Math.max(1, Math.sqrt(n) / 64);
  return /^e\d$/.test(column) ? Math.min(1, 30 / Math.sqrt(n)) : 1;
}

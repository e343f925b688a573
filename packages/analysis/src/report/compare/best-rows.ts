import type { ComparisonRow } from '../../compare/comparison.js';
import { isEqual } from '../../compare/equal.js';

/** Rows as their order on the test split puts them. */
export interface Placed {
  /** All with the best number, which are equals; at least one. */
  readonly best: readonly [ComparisonRow, ...ComparisonRow[]];
  /** The best one behind them. */
  readonly next: ComparisonRow | undefined;
}

/**
 * The best row, or all that are equally good.
 *
 * @param rows From the worst to the best, all with a main head on test.
 */
export function placed(rows: readonly ComparisonRow[]): Placed | undefined {
  const last = rows.at(-1);
  if (!last) return undefined;
  const value = (row: ComparisonRow): number => row.test[row.main]?.mean ?? NaN;
  const equals = rows.slice(0, -1).filter((row) => isEqual(value(row), value(last)));
  const [first = last, ...others] = [...equals, last];
  return { best: [first, ...others], next: rows.at(-2 - equals.length) };
}

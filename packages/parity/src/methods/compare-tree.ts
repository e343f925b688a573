import { K, LEAST, type Check } from '../compare.js';
import { keyOf, type Path } from '../strict-json.js';
import type { Tree } from './method-case.js';

type Branch = { readonly [key: string]: Tree };
type TableTree = {
  readonly columns: readonly string[];
  readonly rows: Readonly<Record<string, readonly number[]>>;
};

/** The deviation that bounds a column, and the column that holds its size. */
const COLUMNS: Readonly<Record<string, readonly [deviation: string, size: string]>> = {
  l2: ['value', 'l2'],
  proj: ['value', 'l2'],
  gradL2: ['grad', 'gradL2'],
  gradProj: ['grad', 'gradL2'],
  sum: ['delta', 'deltaL2'],
  deltaL2: ['delta', 'deltaL2'],
  deltaProj: ['delta', 'deltaL2'],
  momentumL2: ['momentum', 'momentumL2'],
  momentumProj: ['momentum', 'momentumL2'],
};

const isBranch = (value: Tree): value is Branch =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const flat = (value: Tree): Tree[] =>
  Array.isArray(value) ? (value as readonly Tree[]).flatMap(flat) : [value];

/** Keys with a value: what is `undefined` is not there. */
const keysOf = (value: Branch): string[] => Object.keys(value).filter((key) => value[key] !== undefined);

/**
 * Sets what a run of a method gave next to what is expected: `truth` and `float32Deviation` have the same keys all the way down.
 *
 * Allowed are 8 · max(d, 10⁻⁶ · size); where d is `null` both have to be equal, and so have the keys.
 *
 * @param got `accuracy` may be left out: only the official loops count it.
 * @see method cases, format 1, section 4
 */
export function compareTree(truth: Tree, deviation: Tree, got: Tree, path: Path = []): Check[] {
  const key = keyOf(path);
  const different = (what: string): Check[] => [
    { key: what === '' ? key : `${key} (${what})`, deviation: Infinity, tolerance: 0, origin: 'exact' },
  ];
  if (isBranch(truth) && 'rows' in truth) {
    if (!isBranch(got) || !('rows' in got)) return different('rows');
    return compareTable(
      key,
      truth as unknown as TableTree,
      deviation as unknown as TableTree,
      got as unknown as TableTree,
    );
  }
  if (isBranch(truth)) {
    if (!isBranch(got)) return different('keys');
    const optional = (name: string): boolean => name === 'accuracy' && got[name] === undefined;
    const names = keysOf(truth).filter((name) => !optional(name));
    const strange = [
      ...names.filter((name) => got[name] === undefined),
      ...keysOf(got).filter((name) => !(name in truth)),
    ];
    if (strange.length > 0) return different(strange.join(', '));
    return names.flatMap((name) =>
      compareTree(truth[name], (deviation as Branch)[name], got[name], [...path, name]),
    );
  }
  if (Array.isArray(truth) && isBranch((truth as readonly Tree[])[0])) {
    if (!Array.isArray(got) || got.length !== truth.length) return different('length');
    return truth.flatMap((value: Tree, i) =>
      compareTree(value, (deviation as readonly Tree[])[i], (got as readonly Tree[])[i], [...path, i]),
    );
  }
  if (deviation === null) {
    const equal = JSON.stringify(truth) === JSON.stringify(got);
    return [{ key, deviation: equal ? 0 : Infinity, tolerance: 0, origin: 'exact' }];
  }
  const [expected, actual] = [flat(truth) as number[], flat(got) as number[]];
  if (expected.length !== actual.length) return different('length');
  const size = Math.max(0, ...expected.map(Math.abs));
  const tolerance = K * Math.max(deviation as number, LEAST * size);
  // NaN where anything is no number, which exceeds whatever is allowed.
  const distance = Math.max(0, ...expected.map((value, i) => Math.abs(value - (actual[i] as number))));
  return [{ key, deviation: distance, tolerance, origin: tolerance === 0 ? 'exact' : 'forward' }];
}

function compareTable(key: string, truth: TableTree, deviation: TableTree, got: TableTree): Check[] {
  const names = Object.keys(truth.rows);
  const strange = [
    ...names.filter((name) => !got.rows[name]),
    ...Object.keys(got.rows).filter((name) => !truth.rows[name]),
  ];
  if (strange.length > 0)
    return [{ key: `${key} (${strange.join(', ')})`, deviation: Infinity, tolerance: 0, origin: 'exact' }];
  return names.flatMap((name) => {
    const [row, own] = [truth.rows[name] as readonly number[], got.rows[name] as readonly number[]];
    const valueOf = (column: string): number => Math.abs(row[truth.columns.indexOf(column)] as number);
    return truth.columns.map((column, i): Check => {
      // A parameter is as far off as its change since the start, which is known exactly.
      const by = column === 'l2' && truth.columns.includes('deltaL2') ? 'deltaL2' : column;
      const [quantity, size] = COLUMNS[by] as readonly [string, string];
      const d = deviation.rows[name]?.[deviation.columns.indexOf(quantity)] as number;
      let tolerance = K * Math.max(d, LEAST * valueOf(size)) * (column === 'sum' ? 4 : 1);
      // A parameter that never moves: its sums differ by the order of addition alone.
      if (tolerance === 0 && (column === 'sum' || column === 'l2')) tolerance = 1e-9 * valueOf('l2');
      return {
        key: `${key}.${name}.${column}`,
        column: `${key}.${column}`,
        deviation: Math.abs((row[i] as number) - (own[i] as number)),
        tolerance,
        origin: tolerance === 0 ? 'exact' : 'forward',
      };
    });
  });
}

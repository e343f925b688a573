import type { ParityCase } from './case.js';
import { isTable, keyOf, outline, type Quantity, type Table } from './outline.js';
import {
  flag,
  inside,
  integer,
  jsonObject,
  list,
  number,
  object,
  oneOf,
  onlyKeys,
  readJson,
  text,
  tuple,
  wrong,
  type Place,
  type Reader,
} from './strict-json.js';

/** Numbers nested as in the file, a word or a boolean. */
export type Value = number | string | boolean | readonly Value[];
/** The rows of a table by tensor. */
export type Rows = ReadonlyMap<string, readonly number[]>;

/** One quantity or table: what it should be, and how far PyTorch's float32 is from that. */
export type Expectation =
  | { readonly quantity: Quantity; readonly truth: Value; readonly deviation: number }
  | { readonly table: Table; readonly truth: Rows; readonly deviation: Rows };

/** What an `expected.json` holds. */
export interface Expected {
  /** In the order in which they are computed. */
  readonly expectations: readonly Expectation[];
  /** Near ties that PyTorch counted in each step's forward pass. */
  readonly ties: readonly number[];
}

/**
 * Reads the `expected.json` of a case strictly: exactly the quantities that the case computes.
 *
 * @throws {FileFormatError} Naming the file, the key, what is expected and what is there; also for results of another case.
 */
export function readExpected(file: string, parityCase: ParityCase): Expected {
  return readJson(file, (value, place) => {
    oneOf('g2d-parity-expected/1')(jsonObject(value, place)['format'], inside(place, 'format'));
    const { truth, float32Deviation, ties } = object<ExpectedFile>({
      format: text,
      id: oneOf(parityCase.id),
      truth: jsonObject,
      float32Deviation: jsonObject,
      ties: optionalTies,
    })(value, place);
    const items = outline(parityCase);
    const tree = grow(items);
    const truths = new Map<string, unknown>();
    walk(tree, truth, inside(place, 'truth'), (item, entry, at) =>
      truths.set(keyOf(item.path), readTruth(item, entry, at)),
    );
    const deviations = new Map<string, unknown>();
    walk(tree, float32Deviation, inside(place, 'float32Deviation'), (item, entry, at) =>
      deviations.set(keyOf(item.path), readDeviation(item, entry, at)),
    );
    const expectations = items.map((item) => {
      const found = { truth: truths.get(keyOf(item.path)), deviation: deviations.get(keyOf(item.path)) };
      return (isTable(item) ? { table: item, ...found } : { quantity: item, ...found }) as Expectation;
    });
    return { expectations, ties };
  });
}

interface ExpectedFile {
  readonly format: string;
  readonly id: string;
  readonly truth: Readonly<Record<string, unknown>>;
  readonly float32Deviation: Readonly<Record<string, unknown>>;
  readonly ties: readonly number[];
}

/** Only cases with a network have near ties. */
const optionalTies: Reader<readonly number[]> = (value, place) =>
  value === undefined
    ? []
    : object({ below: jsonObject, perStep: list(integer({ min: 0 })) })(value, place).perStep;

type Tree = { readonly item: Quantity | Table } | { readonly branches: Map<string | number, Tree> };

/** The outline as a tree of keys. */
function grow(items: readonly (Quantity | Table)[]): Tree {
  const root = new Map<string | number, Tree>();
  for (const item of items) {
    let branches = root;
    for (const key of item.path.slice(0, -1)) {
      const next = branches.get(key) ?? { branches: new Map() };
      branches.set(key, next);
      branches = (next as { branches: Map<string | number, Tree> }).branches;
    }
    branches.set(item.path.at(-1) as string | number, { item });
  }
  return { branches: root };
}

/** Calls `leaf` for every item, and throws for a key that is none of them. */
function walk(
  tree: Tree,
  value: unknown,
  place: Place,
  leaf: (item: Quantity | Table, value: unknown, place: Place) => void,
): void {
  if ('item' in tree) return leaf(tree.item, value, place);
  const keys = [...tree.branches.keys()];
  const isList = typeof keys[0] === 'number';
  if (isList) list(jsonObject, keys.length)(value, place);
  else onlyKeys(value, keys as string[], place);
  for (const [key, branch] of tree.branches) {
    walk(branch, (value as Record<string | number, unknown>)[key], inside(place, key), leaf);
  }
}

const numbers = (shape: readonly number[]): Reader<Value> =>
  shape.length === 0 ? number() : list(numbers(shape.slice(1)), shape[0]);

function readTruth(item: Quantity | Table, value: unknown, place: Place): Value | Rows {
  if (isTable(item)) return readRows(item, item.columns, value, place);
  switch (item.holds) {
    case 'word':
      return text(value, place);
    case 'boolean':
      return flag(value, place);
    case 'setting':
      return number()(value, place);
    default:
      return numbers(item.holds)(value, place);
  }
}

function readDeviation(item: Quantity | Table, value: unknown, place: Place): number | Rows {
  if (isTable(item)) return readRows(item, item.deviations, value, place);
  // What must be equal has none, or 0.
  return value === undefined && typeof item.holds === 'string' ? 0 : number({ min: 0 })(value, place);
}

function readRows({ rows }: Table, columns: readonly string[], value: unknown, place: Place): Rows {
  const file = object({
    columns: tuple(...columns.map((column) => oneOf(column))),
    rows: jsonObject,
  })(value, place);
  const names = rows.map(({ name }) => name);
  const at = inside(place, 'rows');
  for (const name of Object.keys(file.rows)) {
    if (!names.includes(name))
      wrong(inside(at, name), `left out: ${name} is not a tensor of this table`, 'there');
  }
  return new Map(
    names.map((name) => [name, list(number(), columns.length)(file.rows[name], inside(at, name))]),
  );
}

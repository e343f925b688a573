import { z } from 'zod';
import type { ParityCase } from './case.js';
import { isTable, outline, type Quantity, type Table } from './outline.js';
import { flag, integer, list, number, object, oneOf, readJson, text, tuple, valueAt } from './strict-json.js';

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
  const items = outline(parityCase);
  const schema = object({
    format: text,
    id: oneOf(parityCase.id),
    truth: schemaOf(items, truthOf),
    float32Deviation: schemaOf(items, deviationOf),
    // Only cases with a network have near ties.
    ties: object({ below: z.looseObject({}, 'an object'), perStep: list(integer({ min: 0 })) }).optional(),
  });
  const { truth, float32Deviation, ties } = readJson(file, 'g2d-parity-expected/1', schema);
  const expectations = items.map((item) => {
    const found = { truth: valueAt(truth, item.path), deviation: valueAt(float32Deviation, item.path) };
    return (isTable(item) ? { table: item, ...found } : { quantity: item, ...found }) as Expectation;
  });
  return { expectations, ties: ties?.perStep ?? [] };
}

type Item = Quantity | Table;

/** The schema of an object with exactly these items, each at its path. */
function schemaOf(items: readonly Item[], leafOf: (item: Item) => z.ZodType, depth = 0): z.ZodType {
  const [first] = items as [Item, ...Item[]];
  if (items.length === 1 && first.path.length === depth) return leafOf(first);
  const branches = new Map<string | number, Item[]>();
  for (const item of items) {
    const key = item.path[depth] as string | number;
    branches.set(key, [...(branches.get(key) ?? []), item]);
  }
  const fields = [...branches].map(([key, inner]) => [key, schemaOf(inner, leafOf, depth + 1)] as const);
  return typeof first.path[depth] === 'number'
    ? tuple(...fields.map(([, field]) => field))
    : object(Object.fromEntries(fields));
}

const numbers = (shape: readonly number[]): z.ZodType<Value> =>
  shape.length === 0 ? number() : list(numbers(shape.slice(1)), shape[0]);

function truthOf(item: Item): z.ZodType<Value | Rows> {
  if (isTable(item)) return rowsOf(item, item.columns);
  switch (item.holds) {
    case 'word':
      return text;
    case 'boolean':
      return flag;
    case 'setting':
      return number();
    default:
      return numbers(item.holds);
  }
}

function deviationOf(item: Item): z.ZodType<number | Rows> {
  if (isTable(item)) return rowsOf(item, item.deviations);
  const deviation = number({ min: 0 });
  // What must be equal has none, or 0.
  return typeof item.holds === 'string' ? deviation.default(0) : deviation;
}

function rowsOf({ rows }: Table, columns: readonly string[]): z.ZodType<Rows> {
  const shape = Object.fromEntries(rows.map(({ name }) => [name, list(number(), columns.length)]));
  return object({
    columns: tuple(...columns.map((column) => oneOf(column))),
    rows: z.looseObject(shape, 'an object').superRefine((given, context) => {
      for (const name of Object.keys(given)) {
        if (name in shape) continue;
        const message = `left out: ${name} is not a tensor of this table`;
        context.addIssue({ code: 'custom', path: [name], message });
      }
    }),
  }).transform(({ rows: given }) => new Map(rows.map(({ name }) => [name, given[name] as number[]])));
}

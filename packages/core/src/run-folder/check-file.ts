import { ownValue } from '../own-value.js';
import type { z } from 'zod';
import { FileFormatError } from '../errors.js';
import { shown } from '../shown.js';
import type { FilePlace } from './parse-json.js';

/**
 * Checks the JSON object of a file. A key that is `null` counts as absent.
 *
 * @param schema An object whose fields have as their description what they must be, as in `'a list of numbers'`.
 * @throws {FileFormatError} That names the file, the first key that is wrong, what is expected and what is there.
 * @example
 * const schema = z.looseObject({ seed: z.number().describe('a number') });
 * checkFile(schema, {}, { path: 'a.json' }); // a.json: `seed` must be a number; it is missing.
 */
export function checkFile<T>(schema: z.ZodType<T>, value: unknown, place: FilePlace): T {
  const { path, at = '' } = place;
  if (!isObject(value)) throw new FileFormatError(path, `${at}expected a JSON object, got ${kindOf(value)}.`);
  const result = schema.safeParse(withoutNulls(value));
  if (result.success) return result.data;
  const [issue] = result.error.issues as [z.core.$ZodIssue];
  const { keys, expected, actual } = described(schema as unknown as Definition, issue, value);
  const came = actual === undefined ? 'it is missing' : `got ${kindOf(actual)}`;
  throw new FileFormatError(
    path,
    `${at}${keys.map((key) => `\`${key}\``).join(': ')} must be ${expected}; ${came}.`,
  );
}

/** Without the entries that are `null`: so JSON writes a number that is not finite, and what there is none of. */
export const withoutNulls = <T extends object>(record: T): { [K in keyof T]: Exclude<T[K], null> } =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null)) as {
    [K in keyof T]: Exclude<T[K], null>;
  };

/** As much of a zod schema as it takes to find the description of a field. */
interface Definition {
  readonly description?: string;
  readonly shape?: Readonly<Record<string, Definition>>;
  readonly def: {
    readonly innerType?: Definition;
    readonly in?: Definition;
    readonly element?: Definition;
    readonly valueType?: Definition;
  };
}

/** The fields with a description that lead to an issue, and what the innermost of them must be and is. */
function described(
  schema: Definition,
  issue: z.core.$ZodIssue,
  value: unknown,
): { readonly keys: readonly string[]; readonly expected: string; readonly actual: unknown } {
  const keys: string[] = [];
  let found: { readonly words: string; readonly actual: unknown } | undefined;
  let [inner, actual]: [Definition | undefined, unknown] = [bare(schema), value];
  for (const key of issue.path.map(String)) {
    const field: Definition | undefined =
      ownValue(inner?.shape, key) ?? inner?.def.element ?? inner?.def.valueType;
    actual = (actual as Readonly<Record<string, unknown>>)[key];
    const words = field && descriptionOf(field);
    if (words !== undefined) {
      keys.push(key);
      found = { words, actual };
    }
    inner = field && bare(field);
  }
  const expected = issue.code === 'custom' ? issue.message : (found?.words ?? 'as the format says');
  return { keys, expected, actual: found?.actual };
}

/** What a schema wraps: it may be optional, have a default or change the value that it has checked. */
const wrapped = ({ def }: Definition): Definition | undefined => def.innerType ?? def.in;

function bare(schema: Definition): Definition {
  const inner = wrapped(schema);
  return inner ? bare(inner) : schema;
}

function descriptionOf(schema: Definition): string | undefined {
  const inner = wrapped(schema);
  return schema.description ?? (inner && descriptionOf(inner));
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return `${typeof value} ${shown(value)}`;
}

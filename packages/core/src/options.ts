import { ownValue } from './own-value.js';
import type { z } from 'zod';
import { OptionError } from './errors.js';
import { shown } from './shown.js';
import { nearest, unknownOption } from './known-keys.js';

/** Options as a strict object of zod: types, descriptions and defaults in one. */
export type OptionsSchema = z.ZodObject;

/** Options as a caller writes them beside others. zod's type of an object without keys would leave no room for these. */
export type OwnOptions<O extends OptionsSchema> = string extends keyof z.input<O> ? object : z.input<O>;

/** Where options stand in a configuration, for errors. */
export interface OptionsPlace {
  /** For example `'runs/a/config.json'`. */
  readonly where: string;
  /** In front of every key, for example `'methodOptions.mses'`. Default: nothing. */
  readonly prefix?: string;
}

/**
 * Checks options and fills in their defaults.
 *
 * @param place Where they stand in a configuration, or the name of the function that they were handed to.
 * @throws {OptionError} That names the first key that is wrong, what it may be and what came.
 * @example
 * const options = z.strictObject({ patience: z.int().min(1) });
 * checkOptions(options, { patience: 0 }, 'mses'); // mses: `patience` is 0; it must be at least 1.
 * checkOptions(options, { patience: 0 }, { where: 'a.json' }); // In a.json, "patience" is 0; it must be at least 1.
 */
export function checkOptions<S extends z.ZodType>(
  schema: S,
  values: unknown,
  place: OptionsPlace | string,
): z.output<S> {
  const hidden = pathOfProto(values);
  if (hidden) {
    // As any other unknown key: zod leaves this one out, in records too.
    const issue = { code: 'unrecognized_keys', keys: [PROTO], path: [...hidden], message: '' } as const;
    throw explained(issue as unknown as z.core.$ZodIssue, { schema, values, place });
  }
  const result = schema.safeParse(values);
  if (result.success) return result.data;
  const [issue] = result.error.issues as [z.core.$ZodIssue];
  throw explained(innermost(issue), { schema, values, place });
}

const PROTO = '__proto__';

/** Where an object of plain data, as JSON gives them, has a key that is no name for a property. */
function pathOfProto(values: unknown): readonly string[] | undefined {
  if (typeof values !== 'object' || values === null) return undefined;
  const isPlain = Array.isArray(values) || Object.getPrototypeOf(values) === Object.prototype;
  if (!isPlain) return undefined;
  if (Object.hasOwn(values, PROTO)) return [];
  for (const [key, value] of Object.entries(values)) {
    const inner = pathOfProto(value);
    if (inner) return [key, ...inner];
  }
  return undefined;
}

/** Where a value may have several forms: the fault within the only one that it resembles. */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const inside = issue.errors.flatMap(([first]) =>
    first && (first.path.length > 0 || first.code === 'unrecognized_keys') ? [first] : [],
  );
  const [only, another] = inside;
  if (only === undefined || another !== undefined) return issue;
  return innermost({ ...only, path: [...issue.path, ...only.path] });
}

interface Checked {
  readonly schema: z.ZodType;
  readonly values: unknown;
  readonly place: OptionsPlace | string;
}

function explained(issue: z.core.$ZodIssue, { schema, values, place }: Checked): OptionError {
  const unknown = issue.code === 'unrecognized_keys';
  const path = unknown ? [...issue.path, issue.keys[0] as string] : issue.path;
  const value = valueAt(values, path);
  const accepted = unknown ? knownKeys(schema, issue.path, values).join(', ') : acceptedOf(issue);
  const prefix = typeof place === 'string' ? undefined : place.prefix;
  const key = [...(prefix === undefined ? [] : [prefix]), ...path.map(String)].join('.');
  return new OptionError(sentence(place, { key, value, accepted, unknown }), {
    option: key,
    value,
    accepted,
  });
}

function sentence(
  place: OptionsPlace | string,
  {
    key,
    value,
    accepted,
    unknown,
  }: { readonly key: string; readonly value: unknown; readonly accepted: string; readonly unknown: boolean },
): string {
  const came = value === undefined ? 'is missing' : `is ${shown(value)}`;
  if (typeof place === 'string') {
    if (unknown) return unknownOption(place, key, accepted.split(', '));
    return key === ''
      ? `${place}: options are an object, but ${shown(value)} came.`
      : `${place}: \`${key}\` ${came}; it must be ${accepted}.`;
  }
  const { where } = place;
  if (unknown) {
    const near = nearest(key.replace(/.*\./, ''), accepted.split(', '));
    const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
    return `${capital(where)} has an unknown key "${key}"; known here: ${accepted || 'none'}.${hint}`;
  }
  return key === ''
    ? `${capital(where)} must be a JSON object.`
    : `In ${where}, "${key}" ${came}; it must be ${accepted}.`;
}

/** What a value must be, in words. */
function acceptedOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'int' ? 'a whole number' : article(WORDS[issue.expected] ?? issue.expected);
    case 'invalid_value':
      return issue.values.map(shown).join(', ');
    case 'too_small':
      return issue.origin === 'array'
        ? `a list of at least ${issue.minimum}`
        : issue.origin === 'string'
          ? 'a text that is not empty'
          : `${issue.inclusive ? 'at least' : 'above'} ${issue.minimum}`;
    case 'too_big':
      return `${issue.inclusive ? 'at most' : 'below'} ${issue.maximum}`;
    case 'invalid_union':
      return unionWords(issue);
    default:
      return issue.message.replace(/^Invalid input: /, '');
  }
}

/** A union without a key that tells its forms apart, or with a wrong one. */
function unionWords(issue: z.core.$ZodIssueInvalidUnion): string {
  const { options } = issue as { readonly options?: readonly unknown[] };
  if (options) return options.map(shown).join(', ');
  return [...new Set(issue.errors.flatMap(([first]) => (first ? [acceptedOf(first)] : [])))].join(', or ');
}

/** JavaScript's types in the words of JSON. */
const WORDS: Readonly<Record<string, string>> = { string: 'text', array: 'list', record: 'object' };

const capital = (text: string): string => text.replace(/^the /, 'The ');

const article = (noun: string): string => (/^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`);

/** As much of a zod schema as it takes to find the keys of an object. */
interface Definition {
  readonly def: {
    readonly type: string;
    readonly innerType?: Definition;
    readonly element?: Definition;
    readonly valueType?: Definition;
    readonly options?: readonly Definition[];
    readonly values?: readonly unknown[];
  };
  readonly shape?: Readonly<Record<string, Definition>>;
}

/** The keys that the object at a path may have. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[], values: unknown): string[] {
  let found: Definition | undefined = formOf(schema as unknown as Definition, values);
  path.forEach((key, depth) => {
    const { element, valueType } = found?.def ?? {};
    const next = ownValue(found?.shape, String(key)) ?? element ?? valueType;
    found = next && formOf(next, valueAt(values, path.slice(0, depth + 1)));
  });
  return Object.keys(found?.shape ?? {});
}

/** Without what only wraps it (optional, default); of several forms, the one that a value's constants select. */
function formOf(schema: Definition, value: unknown): Definition {
  const { innerType, options } = schema.def;
  if (innerType) return formOf(innerType, value);
  if (!options) return schema;
  const record = isObject(value) ? value : {};
  const fits = (form: Definition): boolean =>
    Object.entries(form.shape ?? {}).every(
      ([key, { def }]) => def.type !== 'literal' || def.values?.includes(ownValue(record, key)) === true,
    );
  const forms = options.map((option) => formOf(option, value)).filter(({ shape }) => shape);
  return forms.find(fits) ?? schema;
}

function valueAt(values: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    values,
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

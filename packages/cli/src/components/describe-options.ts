import type { OptionsSchema } from '@g2d/core';
import { z } from 'zod';

/** One option in words. */
interface OptionWords {
  readonly name: string;
  /** Type and range. */
  readonly type: string;
  /** As JSON; nothing if there is none. */
  readonly default?: string;
  readonly required: boolean;
  readonly description: string;
}

/** The options of a component, in its order. */
export function describeOptions(options: OptionsSchema): readonly OptionWords[] {
  const { properties = {}, required = [] } = z.toJSONSchema(options, { io: 'input' }) as Schema;
  return Object.entries(properties).map(([name, property]) => ({
    name,
    type: typeOf(property),
    ...(property.default !== undefined && { default: JSON.stringify(property.default) }),
    required: required.includes(name),
    description: property.description ?? '',
  }));
}

/** As much of a JSON Schema as options are made of. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
}

function typeOf(schema: Schema): string {
  const forms = schema.anyOf ?? schema.oneOf;
  if (forms) return forms.map(typeOf).join(' or ');
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(', ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  switch (schema.type) {
    case 'integer':
    case 'number':
      return [schema.type === 'integer' ? 'whole number' : 'number', ...rangeOf(schema)].join(' ');
    case 'string':
      return 'text';
    case 'boolean':
      return 'true, false';
    case 'array':
      return schema.prefixItems
        ? `[${schema.prefixItems.map(typeOf).join('; ')}]`
        : `list of ${typeOf(schema.items ?? {})}`;
    case 'object':
      return objectOf(schema);
    default:
      return 'anything';
  }
}

function objectOf({ properties, additionalProperties }: Schema): string {
  if (properties) {
    const keys = Object.entries(properties).map(([key, inner]) =>
      inner.const === undefined ? key : `${key}: ${JSON.stringify(inner.const)}`,
    );
    return `{ ${keys.join(', ')} }`;
  }
  return typeof additionalProperties === 'object' ? `object, each ${typeOf(additionalProperties)}` : 'object';
}

function rangeOf({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: Schema): string[] {
  // JSON Schema says of every whole number that it is a safe one.
  const low = minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum;
  const high = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (low !== undefined && high !== undefined) return [`from ${low} to ${high}`];
  const bounds = [
    low === undefined ? [] : [`at least ${low}`],
    exclusiveMinimum === undefined ? [] : [`above ${exclusiveMinimum}`],
    high === undefined ? [] : [`at most ${high}`],
    exclusiveMaximum === undefined ? [] : [`below ${exclusiveMaximum}`],
  ].flat();
  return bounds.length > 0 ? [bounds.join(', ')] : [];
}

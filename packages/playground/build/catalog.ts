// The methods of the page, from their definitions: name, words, formula, and a control for every option that is a number, a choice or a flag.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AnyMethod, StackDefinition } from '@g2d/core';
import { linearProbe, ume } from '@g2d/methods';
import { z } from 'zod';
import { entrants } from '../../../examples/av-mnist-small/leaderboard/plan.js';
import { strengths } from '../../../examples/av-mnist-small/leaderboard/strengths.js';
import type { Catalog, CatalogMethod, Control } from '../src/catalog.js';
import { RANGES } from '../src/settings.js';
import { REPOSITORY } from './pack-data.js';

/** Of a training as the page begins with. */
const EPOCHS = 60;

/** Methods without steps of their own, or on encoders that come trained, have no curve to look at. */
const WITHOUT_CURVES: readonly string[] = [ume.name, linearProbe.name];

/** Every number of epochs that can be set. */
const LENGTHS = Array.from(
  { length: RANGES.epochs.max - RANGES.epochs.min + 1 },
  (_, i) => RANGES.epochs.min + i,
);

const PRESENT = LENGTHS.indexOf(EPOCHS);

/** The options of this experiment with so many epochs, which are not always the definitions' defaults. */
function ownOptions(name: string, epochs: number): Readonly<Record<string, unknown>> {
  const { methodOptions } = JSON.parse(
    readFileSync(join(REPOSITORY, 'examples/av-mnist-small/small.json'), 'utf8'),
  ) as { methodOptions: Record<string, Record<string, unknown>> };
  const flat = Object.entries(methodOptions).flatMap(([part, values]) =>
    Object.entries(values).map(([option, value]) => [`${part}.${option}`, value] as const),
  );
  const { option, values = [], set = {} } = strengths(epochs)[name] ?? {};
  const prefix = 'methodOptions.';
  const needed = Object.entries(set).flatMap(([key, value]) =>
    key.startsWith(prefix) ? [[key.slice(prefix.length), value] as const] : [],
  );
  return Object.fromEntries([
    ...(option === undefined ? [] : [[option, values[0]] as const]),
    ...needed,
    ...flat,
  ]);
}

/** As much of a JSON Schema as options of methods have. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
}

/**
 * The control of an option; `undefined` for one that is no single value, or has none to begin with.
 *
 * @param own The experiment's value for each of `LENGTHS`.
 */
function controlOf(key: string, schema: Schema, own: readonly unknown[]): Control | undefined {
  const help = schema.description ?? '';
  const value = own[PRESENT] ?? schema.default;
  if (key.endsWith('.phaseEpochs'))
    return { key, help, kind: 'phases', default: (value as readonly number[])[0]! / EPOCHS };
  const form = [schema, ...(schema.anyOf ?? [])].find(
    ({ type, enum: choices }) =>
      (typeof value === 'number' && (type === 'number' || type === 'integer')) ||
      (typeof value === 'string' && choices !== undefined) ||
      (typeof value === 'boolean' && type === 'boolean'),
  );
  if (!form) return undefined;
  if (typeof value === 'boolean') return { key, help, kind: 'flag', default: value };
  if (typeof value === 'string')
    return { key, help, kind: 'choice', default: value, choices: form.enum as readonly string[] };
  const whole = form.type === 'integer';
  const least = form.minimum ?? form.exclusiveMinimum;
  // What zod writes where it has no bound.
  const isBound = (bound: number | undefined): bound is number =>
    bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER;
  return {
    key,
    help,
    kind: 'number',
    default: value as number,
    ...(own.some((other) => other !== own[0]) && { byEpochs: own as readonly number[] }),
    whole,
    ...(isBound(least) && { min: least }),
    ...(isBound(form.maximum) && { max: form.maximum }),
  };
}

function entryOf(definition: AnyMethod | StackDefinition): CatalogMethod {
  const parts = definition.kind === 'stack' ? definition.methods : [definition];
  const ownByLength = LENGTHS.map((epochs) => ownOptions(definition.name, epochs));
  const fixed: Record<string, Record<string, unknown>> = {};
  const controls: Control[] = [];
  for (const { name, options } of parts) {
    const { properties = {} } = z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' }) as Schema;
    for (const [option, schema] of Object.entries(properties)) {
      const key = `${name}.${option}`;
      const own = ownByLength.map((options) => options[key]);
      const control = controlOf(key, schema, own);
      if (control) controls.push(control);
      else if (own[PRESENT] !== undefined) (fixed[name] ??= {})[option] = own[PRESENT];
    }
  }
  const { set = {} } = strengths(EPOCHS)[definition.name] ?? {};
  const widths = Object.entries(set).flatMap(([key, value]) => {
    const modality = /^encoders\.(\w+)\.width$/.exec(key)?.[1];
    return modality === undefined ? [] : [[modality, value as number] as const];
  });
  return {
    name: definition.name,
    label: definition.label,
    summary: definition.summary,
    formula: definition.recipe?.formula ?? '',
    paper: definition.source?.paper ?? '',
    parts: parts.map(({ name }) => name),
    teachers: parts.some(({ needs }) => needs?.teachers === 'unimodal'),
    validation: parts.some(({ needs }) => needs?.validation !== undefined),
    controls,
    fixed,
    widths: Object.fromEntries(widths),
  };
}

/** Every method that has curves on these data, in the order of the tables. */
export const catalog: Catalog = entrants.filter(({ name }) => !WITHOUT_CURVES.includes(name)).map(entryOf);

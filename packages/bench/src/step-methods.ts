import {
  OptionError,
  ownValue,
  type AnyMethod,
  type Method,
  type Recipe,
  type StackDefinition,
  type Task,
} from '@g2d/core';
import { methods } from '@g2d/methods';
import type { StepSetup } from './step-setup.js';

/** A way of training that can be measured, as its definition has it. */
export interface StepMethod {
  readonly label: string;
  readonly parts: readonly AnyMethod[];
  /** Its loss or its ranking needs them. */
  readonly teachers: boolean;
  /** One of all modalities among them. */
  readonly full: boolean;
  /** It has prioritized phases. */
  readonly phases: boolean;
  /** It modulates the gradients of a scope. */
  readonly scope: boolean;
  /** The only one that it is for. */
  readonly task: Task | undefined;
  /** Modalities that it needs. */
  readonly least: number;
  readonly recipe: Recipe;
}

function stepMethod(definition: (AnyMethod | StackDefinition) & { readonly recipe: Recipe }): StepMethod {
  const parts = definition.kind === 'stack' ? definition.methods : [definition];
  const takes = (option: string): boolean => parts.some(({ options }) => option in options.shape);
  return {
    label: definition.label,
    parts,
    teachers: parts.some(({ needs }) => needs?.teachers),
    full: parts.some(({ needs }) => needs?.teachers === 'full'),
    phases: takes('phaseEpochs'),
    scope: takes('scope'),
    task: parts.find(({ needs }) => needs?.task)?.needs?.task,
    least: Math.max(1, ...parts.map(({ needs }) => needs?.modalities?.min ?? 1)),
    recipe: definition.recipe,
  };
}

/** All of them, by name. */
export const stepMethods: ReadonlyMap<string, StepMethod> = new Map(
  methods.map((definition) => [definition.name, stepMethod(definition)] as const),
);

/** @throws {OptionError} If there is no such method. */
export function stepMethodOf(name: string): StepMethod {
  const found = stepMethods.get(name);
  if (found) return found;
  const accepted = [...stepMethods.keys()].join(', ');
  throw new OptionError(`--method is "${name}"; it can be ${accepted}, or all.`, {
    option: 'method',
    value: name,
    accepted,
  });
}

/** A method that only looks at trained models has no step to measure. */
export const hasSteps = ({ recipe }: StepMethod): boolean => recipe.cost.forward !== 0;

/** Of the noise; of OGM for CREMA-D; of targets that are uniform in [0, 1]; others as usual. A step takes as long with any other. */
const USUAL = { seed: 0, alpha: 0.8, targetVariance: 1 / 12, patience: 10, temperature: 10 };

/** What would begin after some epochs begins with the first step. */
const AT_ONCE = { interactionAfter: 0 };

/** The methods of a setup: their defaults, what has none, and what was asked for. */
export function methodsOf({
  dataset,
  method,
  phase,
  scope = dataset.scope,
  options = {},
}: StepSetup): Method<string>[] {
  const idle = Array.from({ length: Object.keys(dataset.modalities).length - 1 }, () => 0);
  const usual = { ...USUAL, phaseEpochs: phase === 'joint' ? [...idle, 1] : [1, ...idle] };
  const always: Readonly<Record<string, unknown>> = { ...AT_ONCE, scope };
  const { parts } = stepMethodOf(method);
  return parts.map((part) => {
    const known = Object.keys(part.options.shape);
    const needed = known.flatMap((option): [string, unknown][] => {
      if (option in always) return [[option, always[option]]];
      if (hasDefault(part, option)) return [];
      const value =
        ownValue(usual, option) ?? (isRequired(part, option) ? anyValue(part, option) : undefined);
      return value === undefined ? [] : [[option, value]];
    });
    // Of a stack each part takes its own.
    const asked = Object.entries(options).filter(([option]) => parts.length === 1 || known.includes(option));
    return part.make<string>(Object.fromEntries([...needed, ...asked]));
  });
}

const schemaOf = ({ options }: AnyMethod, option: string): Parsed =>
  options.shape[option] as (typeof options.shape)[string] & Parsed;

const hasDefault = (part: AnyMethod, option: string): boolean =>
  schemaOf(part, option).safeParse(undefined).data !== undefined;

const isRequired = (part: AnyMethod, option: string): boolean =>
  !schemaOf(part, option).safeParse(undefined).success;

/** Some value of an option that has no default. */
function anyValue(part: AnyMethod, option: string): unknown {
  const found = [1, 0.5, 0, true].find((value) => schemaOf(part, option).safeParse(value).success);
  if (found !== undefined) return found;
  throw new OptionError(
    `The option \`${option}\` of ${part.name} has no default. Give it with --options '{"${option}": …}'.`,
    { option: 'options', value: undefined, accepted: `an object with ${option}` },
  );
}

interface Parsed {
  safeParse(value: unknown): { readonly success: boolean; readonly data?: unknown };
}

import { OptionError, type AnyMethod, type Method, type StackDefinition, type Task } from '@g2d/core';
import { methods } from '@g2d/methods';
import type { StepSetup } from './step-setup.js';

/** A way of training that can be measured, as its definition has it. */
export interface StepMethod {
  readonly label: string;
  readonly parts: readonly AnyMethod[];
  /** Its loss or its ranking needs them. */
  readonly teachers: boolean;
  /** It has prioritized phases. */
  readonly phases: boolean;
  /** It modulates the gradients of a scope. */
  readonly scope: boolean;
  /** The only one that it is for. */
  readonly task: Task | undefined;
}

function stepMethod(definition: AnyMethod | StackDefinition): StepMethod {
  const parts = definition.kind === 'stack' ? definition.methods : [definition];
  const takes = (option: string): boolean => parts.some(({ options }) => option in options.shape);
  return {
    label: definition.label,
    parts,
    teachers: parts.some(({ needs }) => needs?.teachers),
    phases: takes('phaseEpochs'),
    scope: takes('scope'),
    task: parts.find(({ needs }) => needs?.task)?.needs?.task,
  };
}

/** By name: all but those that look at a validation split or learn from a teacher of all modalities, which a measurement has not. */
export const stepMethods: ReadonlyMap<string, StepMethod> = new Map(
  methods
    .map((definition) => [definition.name, stepMethod(definition)] as const)
    .filter(([, { parts }]) => parts.every(({ needs }) => !needs?.validation && needs?.teachers !== 'full')),
);

/** @throws {OptionError} If there is no such method. */
export function stepMethodOf(name: string): StepMethod {
  const found = stepMethods.get(name);
  if (found) return found;
  const accepted = [...stepMethods.keys()].join(', ');
  throw new OptionError(`--method is "${name}"; it can be ${accepted}.`, {
    option: 'method',
    value: name,
    accepted,
  });
}

/** Of the noise; of OGM for CREMA-D; of targets that are uniform in [0, 1]. A step takes as long with any other. */
const USUAL = { seed: 0, alpha: 0.8, targetVariance: 1 / 12 };

/** The methods of a setup, for a training of one epoch: their defaults, and what has none. */
export function methodsOf({ dataset, method, phase, scope = dataset.scope }: StepSetup): Method<string>[] {
  const idle = Array.from({ length: Object.keys(dataset.modalities).length - 1 }, () => 0);
  const given = { ...USUAL, scope, phaseEpochs: phase === 'joint' ? [...idle, 1] : [1, ...idle] };
  return stepMethodOf(method).parts.map((part) => {
    const { shape } = part.options;
    const needed = Object.entries(given).filter(
      ([option]) => option in shape && (option === 'scope' || !hasDefault(part, option)),
    );
    return part.make<string>(Object.fromEntries(needed));
  });
}

const hasDefault = ({ options }: AnyMethod, option: string): boolean => {
  const { data } = (options.shape[option] as (typeof options.shape)[string] & Parsed).safeParse(undefined);
  return data !== undefined;
};

interface Parsed {
  safeParse(value: undefined): { readonly data?: unknown };
}

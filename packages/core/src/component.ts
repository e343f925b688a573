import { OptionError } from './errors.js';
import { shown } from './shown.js';
import type { OptionsSchema } from './options.js';

/** Where an idea comes from. */
export interface Source {
  /** Authors, title or venue, and year. */
  readonly paper?: string;
  /** The released code, with its commit. */
  readonly code?: string;
}

/** What every component says about itself: help, tables, pages and configurations take it from here. */
export interface Facts {
  /** In configurations and run folders: lower-case words with dashes, for example `'mm-pareto'`. */
  readonly name: string;
  /** In tables and pages, for example `'MMPareto'`. */
  readonly label: string;
  /** One line for a reader who does not know it, without a full stop. */
  readonly summary: string;
  readonly source?: Source;
}

/** Their keys, for checks of definitions. */
export const FACTS = { name: true, label: true, summary: true, source: true } as const;

/** Kinds of components. */
export type Kind = 'method' | 'stack' | 'encoder' | 'fusion' | 'dataset';

/** A component as whoever has only its name knows it. */
export interface Component extends Facts {
  readonly kind: Kind;
}

/** A component with options. */
export interface Configurable extends Component {
  /** A strict object of zod. */
  readonly options: OptionsSchema;
}

// Two copies of this package may live in one process: components are known by a marker that all copies share.
const MARKER = Symbol.for('@g2d/component');

/**
 * Makes a component of a function: the facts become properties of it.
 *
 * @throws {OptionError} If a name is none, or a fact is missing: plain JavaScript has no types.
 */
export function component<F extends object, C extends Component>(make: F, facts: C): F & C {
  const { kind, name, label, summary } = facts;
  const refuse = (option: string, value: unknown, accepted: string): never => {
    throw new OptionError(
      `The ${kind} ${shown(name)} has the ${option} ${shown(value)}; it must be ${accepted}.`,
      { option, value, accepted },
    );
  };
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))
    refuse('name', name, 'lower-case words with dashes, such as "mm-pareto"');
  for (const [option, value] of Object.entries({ label, summary }))
    if (typeof value !== 'string' || value.trim() === '') refuse(option, value, 'a text that is not empty');
  for (const [key, value] of Object.entries(facts))
    // Not by assignment: a function's own `name` cannot be assigned to.
    Object.defineProperty(make, key, { value, enumerable: true });
  Object.defineProperty(make, MARKER, { value: true });
  return make as F & C;
}

/** Whether a value, such as what a user's module exports, is a component of a kind, of any copy of this package. */
export const isComponent = (value: unknown, kind: Kind): value is Component =>
  (typeof value === 'function' || (typeof value === 'object' && value !== null)) &&
  MARKER in value &&
  (value as unknown as Component).kind === kind;

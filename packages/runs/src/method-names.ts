import { OptionError, type AnyMethod, type StackDefinition } from '@g2d/core';
import { methods } from '@g2d/methods';
import type { RunConfig } from './config-schema.js';
import { isModulePath, moduleFile } from './import-module.js';

/** The methods that have names, alone or several together. */
export const KNOWN_METHODS: ReadonlyMap<string, AnyMethod | StackDefinition> = new Map(
  methods.map((method) => [method.name, method]),
);

/** What can stand in `method`, beside modules. */
export const METHOD_NAMES: readonly string[] = [...KNOWN_METHODS.keys()];

/** What a stack is written as: `'umt+smp'` is `['umt', 'smp']`. */
export const entriesOf = (stack: string): readonly string[] => stack.split('+');

/**
 * The methods of a stack, by the keys of their options: `'g2d'` is `['g2d-loss', 'smp']`, `'umt+smp'` is `['umt', 'smp']`, a module of the
 * user's is called as it stands there.
 *
 * @throws {OptionError} If one is unknown.
 */
export function methodNames(stack: string): readonly string[] {
  return entriesOf(stack).flatMap((name) => {
    const known = KNOWN_METHODS.get(name);
    if (known) return known.kind === 'stack' ? known.methods.map((method) => method.name) : [known.name];
    if (isModulePath(name) || moduleFile(name) !== undefined) return [name];
    throw new OptionError(
      `There is no method "${name}"; "method" can be ${METHOD_NAMES.join(', ')}, the path of a module such as ./mine.js, an installed package, or several joined by "+".`,
      { option: 'method', value: name, accepted: METHOD_NAMES.join(', ') },
    );
  });
}

/** Those with options. */
const OPTION_NAMES = methods.filter(({ kind }) => kind === 'method').map(({ name }) => name);

/** @throws {OptionError} If there are options for a method that is none: neither known, nor an existing module, nor one of the run's. */
export function assertOptionKeys({
  method,
  methodOptions,
}: Pick<RunConfig, 'method' | 'methodOptions'>): void {
  const own = methodNames(method);
  for (const name of Object.keys(methodOptions)) {
    const isModule = isModulePath(name) && moduleFile(name) !== undefined;
    if (own.includes(name) || OPTION_NAMES.includes(name) || isModule) continue;
    throw new OptionError(
      `"methodOptions" has "${name}", which is no method. Its keys are names of methods (${OPTION_NAMES.join(', ')}), or paths of modules as they stand in "method".`,
      { option: `methodOptions.${name}`, value: name, accepted: OPTION_NAMES.join(', ') },
    );
  }
}

/**
 * A configuration as a run records it: with its name, and of the methods' options only those that are used.
 *
 * @throws {OptionError} If a method is unknown, or there are options for what is none.
 */
export function asRecorded(config: RunConfig): RunConfig {
  assertOptionKeys(config);
  const names = methodNames(config.method);
  const used = Object.entries(config.methodOptions).filter(([name]) => names.includes(name));
  return { ...config, name: config.name ?? config.method, methodOptions: Object.fromEntries(used) };
}

import {
  isComponent,
  OptionError,
  type AnyMethod,
  type Component,
  type Method,
  type StackDefinition,
} from '@g2d/core';
import { methods } from '@g2d/methods';
import { assertMethod } from '@g2d/trainer/internal';
import type { RunConfig } from './config-schema.js';
import { callExport, importDefault, isModulePath, moduleFile } from './import-module.js';

type Definition = AnyMethod | StackDefinition;

const KNOWN: ReadonlyMap<string, Definition> = new Map(methods.map((method) => [method.name, method]));

/** What can stand in `method`, beside modules. */
export const METHOD_NAMES: readonly string[] = [...KNOWN.keys()];

/** Those with options. */
const OPTION_NAMES = methods.filter(({ kind }) => kind === 'method').map(({ name }) => name);

const isDefinition = (value: unknown): value is Definition =>
  isComponent(value, 'method') || isComponent(value, 'stack');

const entriesOf = (stack: string): readonly string[] => stack.split('+');

/**
 * The methods of a stack, by the keys of their options: `'g2d'` is `['g2d-loss', 'smp']`, `'umt+smp'` is `['umt', 'smp']`, a module of the
 * user's is called as it stands there.
 *
 * @throws {OptionError} If one is unknown.
 */
export function methodNames(stack: string): readonly string[] {
  return entriesOf(stack).flatMap((name) => {
    const known = KNOWN.get(name);
    if (known) return known.kind === 'stack' ? known.methods.map((method) => method.name) : [known.name];
    if (isModulePath(name) || moduleFile(name) !== undefined) return [name];
    throw new OptionError(
      `There is no method "${name}"; "method" can be ${METHOD_NAMES.join(', ')}, the path of a module such as ./mine.js, an installed package, or several joined by "+".`,
      { option: 'method', value: name, accepted: METHOD_NAMES.join(', ') },
    );
  });
}

/**
 * @throws {OptionError} If there are options for a method that is none: neither known, nor an existing module, nor one of the run's.
 */
export function assertMethodOptions({ method, methodOptions }: RunConfig): void {
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

/** The options of a run's methods, without those of methods that it lacks. */
export function usedMethodOptions({ method, methodOptions }: RunConfig): RunConfig['methodOptions'] {
  const names = methodNames(method);
  return Object.fromEntries(Object.entries(methodOptions).filter(([name]) => names.includes(name)));
}

/**
 * Makes the methods of a run.
 *
 * @throws {OptionError} If a method is unknown, or an option is missing or wrong.
 */
export async function buildMethods({
  method: stack,
  methodOptions,
}: RunConfig): Promise<readonly Method<string>[]> {
  const built: Method<string>[] = [];
  const make = (definition: AnyMethod, key: string): Method<string> =>
    definition.make(methodOptions[key] ?? {}, { where: 'the configuration', prefix: `methodOptions.${key}` });
  for (const name of entriesOf(stack)) {
    const found = await findMethod(name);
    if (!isDefinition(found)) {
      const own = await callExport<Method<string>>(found, methodOptions[name] ?? {}, of(name));
      assertMethod(own, name);
      built.push(own);
    } else if (found.kind === 'stack') {
      built.push(...found.methods.map((method) => make(method, method.name)));
    } else {
      built.push(make(found, name));
    }
  }
  return built;
}

const of = (path: string): { readonly path: string; readonly what: string } => ({ path, what: 'a method' });

/** A definition, or what else a module of the user's exports. */
async function findMethod(name: string): Promise<unknown> {
  const { path, what } = of(name);
  return KNOWN.get(name) ?? (await importDefault(path, what));
}

/** What tables and pages say of a stack of methods. */
export type MethodWords = Pick<Component, 'label' | 'summary'>;

/**
 * The words of a stack: those of the definition that is the same list of methods, such as `'g2d'` for `'g2d-loss+smp'`, otherwise those of
 * its methods, one after another. A method that others are known with is said to stand alone.
 */
export async function methodWords(stack: string): Promise<MethodWords> {
  const parts: (MethodWords | AnyMethod)[] = [];
  for (const name of entriesOf(stack)) {
    const found = await findMethod(name);
    if (!isDefinition(found)) parts.push({ label: name, summary: '' });
    else if (found.kind === 'stack') {
      if (entriesOf(stack).length === 1) return wordsOf(found);
      parts.push(...found.methods);
    } else parts.push(found);
  }
  const stacks = methods.filter((method) => method.kind === 'stack');
  const same = stacks.find(
    (known) => known.methods.length === parts.length && known.methods.every((part, i) => part === parts[i]),
  );
  if (same) return wordsOf(same);
  const [only] = parts;
  if (parts.length === 1 && only) {
    const isPart = stacks.some((known) => known.methods.includes(only as AnyMethod));
    return { ...wordsOf(only), ...(isPart && { label: `${only.label} only` }) };
  }
  return {
    label: parts.map(({ label }) => label).join(' + '),
    summary: parts
      .map(({ summary }) => summary)
      .filter((summary) => summary !== '')
      .join('; '),
  };
}

const wordsOf = ({ label, summary }: MethodWords): MethodWords => ({ label, summary });

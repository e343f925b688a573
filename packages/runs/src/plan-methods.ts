import {
  isComponent,
  type AnyMethod,
  type Component,
  type Method,
  type StackDefinition,
  ownValue,
} from '@g2d/core';
import { methods } from '@g2d/methods';
import { assertMethod } from '@g2d/trainer/internal';
import type { RunConfig } from './config-schema.js';
import { callExport, importDefault } from './import-module.js';
import { assertOptionKeys, entriesOf, KNOWN_METHODS } from './method-names.js';
import { unreadNotes, watchedOptions } from './watched-options.js';

/** What tables and pages say of a stack of methods. */
interface Words extends Pick<Component, 'label' | 'summary'> {
  /** Its place in the list of methods, in which tables show them; absent for a method of the user's own. */
  readonly order?: number;
}

/** The methods of a run, ready to be used. */
export interface PlannedMethods {
  readonly methods: readonly Method<string>[];
  readonly words: Words;
  /** Options that modules of the user's have not read so far: sentences for the user. */
  unread(): readonly string[];
}

/**
 * Makes the methods of a run; those of the user's are loaded.
 *
 * @throws {OptionError} If a method is unknown, an option is missing or wrong, or there are options for what is no method.
 */
export async function planMethods({ method: stack, methodOptions }: RunConfig): Promise<PlannedMethods> {
  assertOptionKeys({ method: stack, methodOptions });
  const made: Method<string>[] = [];
  const parts: (Words | AnyMethod | StackDefinition)[] = [];
  const unread: (() => readonly string[])[] = [];
  const make = (definition: AnyMethod, key: string): Method<string> =>
    definition.make(ownValue(methodOptions, key) ?? {}, {
      where: 'the configuration',
      prefix: `methodOptions.${key}`,
    });
  for (const name of entriesOf(stack)) {
    const module = { path: name, what: 'a method' };
    const found = KNOWN_METHODS.get(name) ?? (await importDefault(module.path, module.what));
    if (isComponent(found, 'stack')) {
      parts.push(found as StackDefinition);
      made.push(...(found as StackDefinition).methods.map((method) => make(method, method.name)));
    } else if (isComponent(found, 'method')) {
      parts.push(found as AnyMethod);
      made.push(make(found as AnyMethod, name));
    } else {
      const watched = watchedOptions((ownValue(methodOptions, name) as object | undefined) ?? {});
      const own = await callExport<Method<string>>(found, watched.options, module);
      unread.push(() => unreadNotes(watched.unread(), module));
      assertMethod(own, name);
      parts.push({ label: name, summary: '' });
      made.push(own);
    }
  }
  return { methods: made, words: stackWords(parts), unread: () => unread.flatMap((each) => each()) };
}

const STACKS = methods.filter((method) => method.kind === 'stack');

/**
 * The words of a stack: those of the definition that is the same list of methods, such as `'g2d'` for `'g2d-loss+smp'`, otherwise those of
 * its methods, one after another. A method that others are known with is said to stand alone.
 */
function stackWords(entries: readonly (Words | AnyMethod | StackDefinition)[]): Words {
  const isStack = (entry: Words): entry is StackDefinition => isComponent(entry, 'stack');
  const [entry] = entries;
  if (entries.length === 1 && entry && isStack(entry)) return wordsOf(entry);
  const parts: readonly Words[] = entries.flatMap<Words>((each) => (isStack(each) ? each.methods : each));
  const same = STACKS.find(
    (known) => known.methods.length === parts.length && known.methods.every((part, i) => part === parts[i]),
  );
  if (same) return wordsOf(same);
  const [only] = parts;
  if (parts.length === 1 && only) {
    const isPart = STACKS.some((known) => known.methods.some((part) => part === only));
    return { ...wordsOf(only), ...(isPart && { label: `${only.label} only` }) };
  }
  const orders = parts.flatMap((part) => wordsOf(part).order ?? []);
  return {
    label: parts.map(({ label }) => label).join(' + '),
    // Behind the last of its methods alone.
    ...(orders.length === parts.length && { order: Math.max(...orders) + (parts.length - 1) / 100 }),
    summary: parts
      .map(({ summary }) => summary)
      .filter((summary) => summary !== '')
      .join('; '),
  };
}

function wordsOf(method: Words): Words {
  const { label, summary } = method;
  const order = methods.findIndex((known) => known === method);
  return { label, summary, ...(order >= 0 && { order }) };
}

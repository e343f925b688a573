import { OptionError, type Component, type Configurable } from '@g2d/core';
import { z } from 'zod';
import { defineCommand, type Command } from '../command.js';
import { formatTable } from '../format-table.js';
import { costWords, needsWords, rangeOf, type Described } from './describe-method.js';
import { describeOptions } from './describe-options.js';
import { findComponent, type ComponentList } from './find-component.js';

/** The command that lists the components of one sort, and explains one of them. */
export function componentCommand<C extends Component>(
  list: ComponentList<C>,
  { plural, place }: { readonly plural: string; readonly place: string },
): Command {
  const { noun, components } = list;
  return defineCommand({
    usage: '[NAME] [options]',
    description: `Lists the ${plural} that there are, or explains one: where it is from, and each of its options with type, range and default. NAME can be the path of a module of your own (./mine.js), or an installed package, whose default export defines a ${noun}. In a configuration options stand ${place}.`,
    options: {
      json: {
        help: 'JSON: [{"name", "label", "summary"}], or of one everything, with its options as a JSON Schema',
      },
    },
    details: `Exit code: 0; 2 for an error, such as a name that is none.

Examples:
  g2d ${plural}
  g2d ${plural} ${components[0]?.name}`,
    async run({ values, positionals }, { out }) {
      const [name, ...rest] = positionals;
      if (rest.length > 0) {
        throw new OptionError(`"${rest[0]}" is one argument too many; one ${noun} can be named.`, {
          option: 'NAME',
          value: rest[0],
          accepted: 'one name',
        });
      }
      if (name === undefined) {
        const rows = components.map((component) => [component.name, component.label, component.summary]);
        out(
          values.json
            ? `${JSON.stringify(components.map((each) => ({ name: each.name, label: each.label, summary: each.summary })))}\n`
            : formatTable([['name', '', 'what it is'], ...rows], [false, false, false]),
        );
        return 0;
      }
      const component = await findComponent(name, list);
      out(values.json ? `${JSON.stringify(factsOf(component))}\n` : explain(component));
      return 0;
    },
  });
}

/** Everything about it that is data. */
function factsOf(component: Component): object {
  const { options, methods } = component as Partial<Configurable & { methods: readonly Component[] }>;
  const facts = Object.fromEntries(
    Object.entries(component).filter(([key, value]) => typeof value !== 'function' && key !== 'options'),
  );
  return {
    ...facts,
    ...(options && { options: z.toJSONSchema(options, { io: 'input' }) }),
    ...(methods?.length && { methods: methods.map(({ name }) => name) }),
  };
}

const INDENT = '  ';
const WIDTH = 100;

function explain(component: Component): string {
  const { name, label, summary, source = {} } = component;
  const lines = [`${label} ("${name}"): ${summary}`, ''];
  for (const [what, text] of Object.entries({ ...source, ...detailsOf(component) })) {
    lines.push(`${what}: ${text}`);
  }
  lines.push(...recipeLines(component));
  const { options } = component as Partial<Configurable>;
  if (options) {
    const words = describeOptions(options);
    lines.push('', words.length > 0 ? 'Options:' : 'It has no options.');
    for (const option of words) {
      const usual = option.required ? 'required' : option.default && `default ${option.default}`;
      lines.push('', `${INDENT}${option.name}: ${[option.type, usual].filter(Boolean).join('; ')}`);
      lines.push(...wrapped(option.description).map((line) => `${INDENT}${INDENT}${line}`));
    }
  }
  return `${lines.join('\n').replaceAll(/\n{3,}/g, '\n\n')}\n`;
}

/** What only one kind of component says. */
function detailsOf(component: Component): Readonly<Record<string, string>> {
  const { task, modalities, methods } = component as {
    readonly task?: string;
    readonly modalities?: readonly string[] | Range;
    readonly methods?: readonly Component[];
  };
  const needs = needsWords(component);
  const isMethod = component.kind === 'method' || component.kind === 'stack';
  return {
    ...(task !== undefined && { task }),
    ...(modalities && {
      modalities: Array.isArray(modalities) ? modalities.join(', ') : rangeOf(modalities as Range),
    }),
    ...(isMethod && { needs: needs.length > 0 ? needs.join('; ') : 'nothing beside the data' }),
    ...(methods?.length && {
      methods: `${methods.map(({ name }) => name).join(', ')}; each has options of its own`,
    }),
  };
}

type Range = { readonly min?: number; readonly max?: number };

/** Formula, cost and advice of a method. */
function recipeLines(component: Described): string[] {
  const { recipe, name } = component;
  if (!recipe) return [];
  const block = (text: string): string[] => wrapped(text).map((line) => `${INDENT}${INDENT}${line}`);
  const { formula, advice } = recipe;
  return [
    '',
    `formula: ${formula}`,
    '',
    'A step costs:',
    ...block(`${costWords(component).join('; ')}.`),
    ...block(`In milliseconds: g2d bench step --dataset NAME --method ${name}, a tool of the repository.`),
    ...(advice.length > 0 ? ['', 'When it helps, and when not:'] : []),
    ...advice.flatMap(({ claim, source }) => ['', ...block(`${claim} (${source}).`)]),
  ];
}

function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

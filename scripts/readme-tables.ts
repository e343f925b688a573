// Tables in the READMEs: of components, made from their definitions, and of results, made from their numbers. `npm run tables` writes them,
// test/docs/tables.test.ts compares.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Component, Configurable } from '@g2d/core';
import { datasets } from '@g2d/datasets';
import { encoders } from '@g2d/encoders';
import { fusions } from '@g2d/fusion';
import { methods } from '@g2d/methods';
import { format, resolveConfig } from 'prettier';
import {
  leaderboardMarkdown,
  PUBLISHED,
  type Results,
} from '../examples/av-mnist-small/leaderboard/results.js';
import { needsWords, passWords, type Described } from '../packages/cli/src/components/describe-method.js';
import { describeOptions } from '../packages/cli/src/components/describe-options.js';

const root = resolve(import.meta.dirname, '..');

/** README → the components of its table. */
const TABLES: Readonly<Record<string, readonly Component[]>> = {
  'packages/encoders/README.md': encoders,
  'packages/fusion/README.md': fusions,
  'packages/datasets/README.md': datasets,
  'packages/methods/README.md': methods,
};

/** README → the numbers of its table, and the text that is made of them. */
const RESULTS: Readonly<
  Record<string, { readonly path: string; readonly textOf: (results: Results) => string }>
> = {
  'packages/methods/README.md': { path: PUBLISHED, textOf: leaderboardMarkdown },
  'docs/results.md': { path: PUBLISHED, textOf: leaderboardMarkdown },
};

const COMPONENTS = '<!-- table of components: npm run tables -->';
const NUMBERS = '<!-- table of results: npm run tables -->';
const END = '<!-- end of the table -->';

/** Every README with its tables as the definitions and the numbers have them, by path. */
export async function readmesWithTables(): Promise<ReadonlyMap<string, string>> {
  const names = [...new Set([...Object.keys(TABLES), ...Object.keys(RESULTS)])];
  const made = names.map(async (name): Promise<[string, string]> => {
    const path = resolve(root, name);
    const text = readFileSync(path, 'utf8');
    const components = TABLES[name];
    const own = components ? withTable(name, text, COMPONENTS, tableOf(components)) : text;
    return [path, await formatted(path, withResults(name, own))];
  });
  return new Map(await Promise.all(made));
}

/** A file's text as prettier has it. */
export const formatted = async (path: string, text: string): Promise<string> =>
  format(text, { ...(await resolveConfig(path)), filepath: path });

/** A text with another table at a place. */
function withTable(name: string, text: string, start: string, table: string): string {
  const [before, rest] = text.split(start);
  const [old, ...after] = rest?.split(END) ?? [];
  if (before === undefined || old === undefined || after.length === 0)
    throw new Error(`${name} has no place for its table: ${start} … ${END}.`);
  return `${before}${start}\n\n${table}\n\n${END}${after.join(END)}`;
}

/** Numbers that nobody has published yet are in no README. */
function withResults(name: string, text: string): string {
  const results = RESULTS[name];
  if (!results || !existsSync(results.path)) return text;
  const numbers = JSON.parse(readFileSync(results.path, 'utf8')) as Results;
  return withTable(name, text, NUMBERS, results.textOf(numbers));
}

function tableOf(components: readonly Component[]): string {
  const rows = components.map((component) => {
    const { name, label, summary } = component;
    return `| \`${name}\` | ${label}: ${summary} | ${optionsOf(component)} |`;
  });
  const table = ['| name | what it is | options |', '| --- | --- | --- |', ...rows].join('\n');
  const recipes = components.flatMap(recipeRow);
  if (recipes.length === 0) return table;
  const header = [
    '| name | formula | forward, backward passes of a step | needs |',
    '| --- | --- | --- | --- |',
  ];
  return `${table}\n\n${RECIPES}\n\n${[...header, ...recipes].join('\n')}`;
}

const RECIPES =
  'Passes are of all encoders, with two modalities; a step of joint training has one in each direction. `g2d methods NAME` says more, and when a method helps.';

/** What a method computes, costs and needs. */
function recipeRow(component: Described): string[] {
  const { name, recipe } = component;
  if (!recipe) return [];
  const { formula, cost } = recipe;
  const passes = `${passWords(cost.forward)}, ${passWords(cost.backward)}`;
  return [
    `| \`${name}\` | ${formula.replaceAll(/[|_*~]/g, String.raw`\$&`)} | ${passes} | ${needsWords(component).join('; ')} |`,
  ];
}

/** Names, with defaults; `root?` may be left out. */
function optionsOf(component: Component): string {
  const { options, methods: parts } = component as Partial<
    Configurable & { readonly methods: readonly Component[] }
  >;
  if (parts?.length) return `those of ${parts.map(({ name }) => `\`${name}\``).join(' and ')}`;
  if (!options) return '';
  return describeOptions(options)
    .map(({ name, default: usual, required }) =>
      usual === undefined ? `\`${name}${required ? '' : '?'}\`` : `\`${name}\` = \`${usual}\``,
    )
    .join(', ');
}

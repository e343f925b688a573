import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { methods } from '@g2d/methods';

const FOLDERS = ['methods', 'cases'];

/** How many parity cases there are of each method, whose official code computed them; those of a stack are of its parts too. */
export function parityCounts(names: readonly string[]): Readonly<Record<string, number>> {
  const found = FOLDERS.flatMap((folder) => {
    const path = resolve(import.meta.dirname, '../../../test/parity', folder);
    return readdirSync(path).map((id) => methodOf(join(path, id, 'case.json')));
  });
  const isOf = (name: string, method: string): boolean =>
    plain(method) === plain(name) || partNames(method).includes(name);
  return Object.fromEntries(names.map((name) => [name, found.filter((method) => isOf(name, method)).length]));
}

/** Cases write names as the official code does: mmpareto. */
const plain = (name: string): string => name.replaceAll('-', '');

const partNames = (name: string): readonly string[] =>
  methods.flatMap((method) =>
    method.kind === 'stack' && method.name === name ? method.methods.map((each) => each.name) : [],
  );

/** Cases of losses and encoders are of no method. */
const methodOf = (path: string): string =>
  (JSON.parse(readFileSync(path, 'utf8')) as { readonly method?: string }).method ?? '';

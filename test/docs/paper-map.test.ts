// docs/paper-map.md must not rot: its symbols are exported, its files exist, and no equation in the sources is missing.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const rows = readFileSync(join(root, 'docs/paper-map.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| .*` +\| packages\//.test(line))
  .map(
    (line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1) as [string, string, string, string],
  );

/** `Eq. 5 to 8` and `Eq. 2` as numbers. */
const equations = (text: string): number[] =>
  [...text.matchAll(/Eq\. (\d)(?: (?:to|and) (\d))?/g)].flatMap(([, from, to]) => {
    const [first, last] = [Number(from), Number(to ?? from)];
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });

describe('docs/paper-map.md', () => {
  it('has the eight equations', () => {
    expect(new Set(rows.flatMap(([paper]) => equations(paper)))).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8]));
  });

  it('says something about every table and figure', () => {
    const text = readFileSync(join(root, 'docs/paper-map.md'), 'utf8');
    const numbers = (kind: string): Set<number> =>
      new Set(
        [...text.matchAll(new RegExp(`^\\| ${kind} ([\\d, ]+)`, 'gm'))].flatMap(([, list]) =>
          (list as string).split(',').map(Number),
        ),
      );
    expect([...numbers('Table')].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect([...numbers('Fig\\.')].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('leads from every table and figure to a test that exists', () => {
    const text = readFileSync(join(root, 'docs/paper-map.md'), 'utf8');
    const table = text.slice(text.indexOf('## Tables and figures'));
    const summaries = table.split('\n').filter((line) => /^\| (Table|Fig\.) \d/.test(line));
    expect(summaries.length).toBeGreaterThan(10);
    expect(summaries.filter((line) => !/\(\.\.\/\S+\.test\.ts\) +\|$/.test(line))).toEqual([]);
    const links = [...table.matchAll(/\]\(([^)#]+)/g)].map(([, link]) => link as string);
    expect(links.filter((link) => !existsSync(join(root, 'docs', link)))).toEqual([]);
  });

  it.each(rows)('%s: %s', async (_, symbol, file, test) => {
    const name = symbol.replaceAll('`', '');
    expect(existsSync(join(root, file)), file).toBe(true);
    expect(existsSync(join(root, test.split(':')[0] as string)), test).toBe(true);
    const source = readFileSync(join(root, file), 'utf8');
    expect(source).toMatch(new RegExp(`export (async )?(function|class|const) ${name}\\b`));
    const entries = ['src/index.ts', 'src/node.ts']
      .map((entry) => join(root, file.split('/src/')[0] as string, entry))
      .filter((path) => existsSync(path))
      .map((path) => readFileSync(path, 'utf8'));
    expect(entries.join('\n')).toMatch(new RegExp(`\\b${name}\\b`));
  });

  it('names every source file that cites an equation', () => {
    const cited = readdirSync(join(root, 'packages'), { recursive: true })
      .map(String)
      .filter(
        (path) => /\/src\/.*\.ts$/.test(path) && !path.includes('node_modules') && !path.endsWith('.test.ts'),
      )
      .filter((path) => /@see G2D.*Eq\. \d/.test(readFileSync(join(root, 'packages', path), 'utf8')))
      .map((path) => `packages/${path}`);
    expect(cited.length).toBeGreaterThan(8);
    expect(cited.filter((path) => !rows.some(([, , file]) => file === path))).toEqual([]);
  });
});

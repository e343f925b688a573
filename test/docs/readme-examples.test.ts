// The first TypeScript example of every published package's README, and of the guides in docs/, runs as it stands, from the root of the
// repository.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
// Inside of the repository, so that packages resolve as they do for a user's file.
const folder = join(root, 'test/docs/.examples');
beforeAll(() => void mkdirSync(folder, { recursive: true }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Published packages from which something is imported: not those of prebuilt binaries. */
const isImported = (name: string): boolean => {
  const manifest = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')) as {
    readonly private?: boolean;
    readonly exports?: object;
  };
  return !manifest.private && manifest.exports !== undefined;
};
const pages = [
  ...readdirSync(join(root, 'packages'))
    .filter(isImported)
    .map((name) => join('packages', name, 'README.md')),
  'docs/writing-a-method.md',
  'docs/your-own-data.md',
];

describe('examples in the documentation', () => {
  it.each(pages)('%s', (page) => {
    const readme = readFileSync(join(root, page), 'utf8');
    const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
    expect(example).toBeDefined();
    const file = join(folder, `${page.replaceAll(/\W+/g, '-')}.ts`);
    writeFileSync(file, example as string);
    const output = execFileSync(process.execPath, ['--conditions=@g2d/source', '--import', 'tsx', file], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(output.trim()).not.toBe('');
  });
});

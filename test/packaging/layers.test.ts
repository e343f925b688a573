// Which package may import which: package.json says it, and what is published keeps to it. Cycles between files are the linter's.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../packages');

const KINDS = ['dependencies', 'peerDependencies', 'optionalDependencies', 'devDependencies'] as const;
type Manifest = { readonly name: string } & {
  readonly [K in (typeof KINDS)[number]]?: Readonly<Record<string, string>>;
};

/** Every package, and what it declares; development dependencies count, since what is bundled is one. */
const packages = readdirSync(root).map((folder) => {
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest;
  const declared = KINDS.flatMap((kind) => Object.keys(manifest[kind] ?? {}));
  return { folder: join(root, folder), name: manifest.name, declared };
});

/** The sources without tests: test files may use any package. Packages of prebuilt binaries have none. */
function sources(folder: string): string[] {
  if (!existsSync(join(folder, 'src'))) return [];
  return readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/\.(test|slow)\.ts$/.test(file))
    .map((file) => join(folder, 'src', file));
}

/** What a file imports, types too. */
const importsOf = (file: string): string[] =>
  ts.preProcessFile(readFileSync(file, 'utf8')).importedFiles.map(({ fileName }) => fileName);

/** `@scope/name/path` → `@scope/name`, `name/path` → `name`. */
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

describe('packages', () => {
  it('form layers: none reaches itself by what it declares', () => {
    const left = new Map(packages.map(({ name, declared }) => [name, declared]));
    for (let size = -1; size !== left.size;) {
      size = left.size;
      for (const [name, declared] of left) {
        if (!declared.some((other) => left.has(other))) left.delete(name);
      }
    }
    // Whatever cannot be taken away from below is on a cycle, or above one.
    expect([...left.keys()]).toEqual([]);
  });

  it.each(packages)('$name imports only what it declares, and no file of another package', (one) => {
    const undeclared = sources(one.folder).flatMap((file) =>
      importsOf(file)
        .filter((specifier) =>
          specifier.startsWith('.')
            ? relative(one.folder, resolve(dirname(file), specifier)).startsWith('..')
            : !isBuiltin(specifier) && ![one.name, ...one.declared].includes(packageOf(specifier)),
        )
        .map((specifier) => `${relative(root, file)}: ${specifier}`),
    );
    expect(undeclared).toEqual([]);
  });
});

import { createRequire, isBuiltin } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { G2DError, OptionError } from '@g2d/core';
import { parseJson } from '@g2d/core/run-folder';
import { isThere, readIfThere } from '@g2d/formats/node';

/** Whether a name in a configuration is the path of a module: `./mine.js`, `methods/mine.ts`. */
export const isModulePath = (name: string): boolean => /^[./]|\.[cm]?[jt]s$/.test(name);

/**
 * The file of a module of the user's.
 *
 * @param name A path, relative to the current folder, or the name of an npm package that is installed there.
 * @returns `undefined` if there is none.
 */
export function moduleFile(name: string): string | undefined {
  if (isModulePath(name)) return isThere(resolve(name)) ? resolve(name) : undefined;
  const { resolve: find } = createRequire(resolve('package.json'));
  const folders = (isBuiltin(name) ? undefined : find.paths(name)) ?? [];
  const home = folders
    .map((folder) => join(folder, name))
    .find((folder) => isThere(join(folder, 'package.json')));
  if (home === undefined) return undefined;
  const manifest = join(home, 'package.json');
  const { exports, main = 'index.js' } = parseJson(readIfThere(manifest) ?? '', {
    path: manifest,
  }) as Package;
  return join(home, entryOf(exports) ?? main);
}

/** As much of a `package.json` as says what an import gets. */
interface Package {
  readonly exports?: Exports;
  readonly main?: string;
}
type Exports = string | { readonly [condition: string]: Exports } | undefined;

const entryOf = (exports: Exports): string | undefined =>
  typeof exports === 'object'
    ? entryOf(exports['.'] ?? exports['import'] ?? exports['node'] ?? exports['default'])
    : exports;

/**
 * The default export of a module of the user's.
 *
 * @param path As for `moduleFile`.
 * @param what What it makes, for errors.
 * @throws {OptionError} If there is no such file.
 * @throws {G2DError} With code `G2D_MODULE` if it cannot be loaded; the error is the `cause`.
 */
export async function importDefault(path: string, what: string): Promise<unknown> {
  const file = moduleFile(path);
  if (file === undefined) {
    throw new OptionError(
      `There is no module ${path} for ${what}. Paths are relative to the folder in which g2d is started.`,
      { option: 'path', value: path, accepted: 'an existing file' },
    );
  }
  const { default: exported } = await explained(
    path,
    what,
    async () => (await import(/* @vite-ignore */ pathToFileURL(file).href)) as { default?: unknown },
  );
  return exported;
}

/**
 * Calls what a module of the user's exports.
 *
 * @throws {OptionError} If it is no function.
 * @throws {G2DError} With code `G2D_MODULE` if it throws; the error is the `cause`.
 */
export async function callExport<T>(
  exported: unknown,
  options: object,
  { path, what }: { readonly path: string; readonly what: string },
): Promise<T> {
  if (typeof exported !== 'function') {
    throw new OptionError(
      `The module ${path} must have a function as its default export, which makes ${what}.`,
      { option: 'path', value: path, accepted: 'export default function' },
    );
  }
  return explained(path, what, async () => (exported as (options: object) => T | Promise<T>)(options));
}

/** A fault of the user's module is said to be one, with the line of theirs where it happened. */
async function explained<T>(path: string, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (G2DError.isInstance(error)) throw error;
    const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
    const own = stack.split('\n').find((line) => line.includes(resolve(path)));
    const where = own ? ` (${own.trim()})` : '';
    throw new G2DError(
      'G2D_MODULE',
      `The module ${path}, which makes ${what}, failed: ${message.split('\n')[0]}${where}`,
      { path },
      { cause: error },
    );
  }
}

/** What came instead of what was expected, in a word or two. */
export function describeValue(value: unknown): string {
  if (value === null || typeof value !== 'object') return `${String(value)}`;
  return Array.isArray(value)
    ? 'a list'
    : `an object with ${Object.keys(value).slice(0, 4).join(', ') || 'nothing in it'}`;
}

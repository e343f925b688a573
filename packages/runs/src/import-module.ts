import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { G2DError, OptionError } from '@g2d/core';

/**
 * Calls the default export of a module of the user's.
 *
 * @param path Relative to the current folder.
 * @param what What it makes, for errors.
 * @throws {OptionError} If there is no such file, or its default export is no function.
 * @throws {G2DError} With code `G2D_MODULE` if it cannot be loaded, or throws; the error is the `cause`.
 */
export async function callModule<T>(path: string, what: string, options: object): Promise<T> {
  const file = resolve(path);
  const details = { option: 'path', value: path };
  if (!existsSync(file)) {
    throw new OptionError(
      `There is no module ${path} for ${what}. Paths are relative to the folder in which g2d is started.`,
      { ...details, accepted: 'an existing file' },
    );
  }
  const { default: make } = await explained(
    path,
    what,
    async () => (await import(/* @vite-ignore */ pathToFileURL(file).href)) as { default?: unknown },
  );
  if (typeof make !== 'function') {
    throw new OptionError(
      `The module ${path} must have a function as its default export, which makes ${what}.`,
      { ...details, accepted: 'export default function' },
    );
  }
  return explained(path, what, async () => (make as (options: object) => T | Promise<T>)(options));
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

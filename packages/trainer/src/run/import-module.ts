import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { OptionError } from '@g2d/tensor-ops';

/**
 * Loads the default export of a module of the user's, a function.
 *
 * @param path Relative to the current folder.
 * @param what What it makes, for errors.
 * @throws {OptionError} If there is no such file, or its default export is no function.
 */
export async function importFunction<F>(path: string, what: string): Promise<F> {
  const file = resolve(path);
  if (!existsSync(file)) {
    throw new OptionError(
      `There is no module ${path} for ${what}. Paths are relative to the folder in which g2d is started.`,
      {
        option: 'path',
        value: path,
        accepted: 'an existing file',
      },
    );
  }
  const { default: made } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
    default?: unknown;
  };
  if (typeof made === 'function') return made as F;
  throw new OptionError(
    `The module ${path} must have a function as its default export, which makes ${what}.`,
    {
      option: 'path',
      value: path,
      accepted: 'export default function',
    },
  );
}

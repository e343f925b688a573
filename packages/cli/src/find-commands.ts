import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { OptionError } from '@g2d/core';
import { parseJson } from '@g2d/core/run-folder';
import type { CommandEntry, Commands } from './command.js';

/** What is read of a `package.json`. */
interface Manifest {
  readonly name?: string;
  readonly g2d?: { readonly commands?: unknown };
  readonly dependencies?: object;
  readonly devDependencies?: object;
  readonly optionalDependencies?: object;
}

/**
 * The commands that packages add: those of every `package.json` from the folder upwards, then from this package upwards, and of
 * what they depend on. Such a package has `"g2d": { "commands": "./commands.js" }`, a module whose default export is the list.
 * Of two commands of the same name the nearer one counts.
 *
 * @param note Told of a package whose commands cannot be used: the others can.
 */
export async function findCommands(folder: string, note: (line: string) => void): Promise<Commands> {
  const found = new Map<string, CommandEntry>();
  const seen = new Set<string>();
  for (const place of [folder, dirname(fileURLToPath(import.meta.url))].flatMap(upwards)) {
    for (const home of packagesOf(place)) {
      if (seen.has(home)) continue;
      seen.add(home);
      try {
        for (const [name, entry] of Object.entries(await commandsOf(home)))
          if (!found.has(name)) found.set(name, entry);
      } catch (error) {
        note(`${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
      }
    }
  }
  return Object.fromEntries(found);
}

function upwards(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...upwards(parent)];
}

/** A folder's own package and the folders of what it depends on. */
function packagesOf(folder: string): string[] {
  const manifest = manifestOf(folder);
  if (!manifest) return [];
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  const names = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
  // A linked package is where its link leads.
  return [folder, ...names.flatMap((name) => installed(name, folder) ?? [])].map((home) =>
    realpathSync(home),
  );
}

const installed = (name: string, from: string): string | undefined =>
  upwards(from)
    .map((folder) => join(folder, 'node_modules', name))
    .find((home) => existsSync(join(home, 'package.json')));

function manifestOf(folder: string): Manifest | undefined {
  try {
    const path = join(folder, 'package.json');
    return parseJson(readFileSync(path), { path }) as Manifest;
  } catch {
    // None, or none that npm could read either.
    return undefined;
  }
}

/** @throws {OptionError} If the package names commands that are none. */
async function commandsOf(home: string): Promise<Commands> {
  const { name = home, g2d } = manifestOf(home) ?? {};
  const path = g2d?.commands;
  if (path === undefined) return {};
  const refuse = (problem: string): OptionError =>
    new OptionError(`The commands of ${name} are left out: ${problem}`, {
      option: 'g2d.commands',
      value: path,
      accepted: 'the path of a module, in the package',
    });
  if (typeof path !== 'string') throw refuse('"g2d.commands" of its package.json is no path.');
  let commands: unknown;
  try {
    const module = (await import(/* @vite-ignore */ pathToFileURL(resolve(home, path)).href)) as {
      default?: unknown;
    };
    commands = module.default;
  } catch (error) {
    throw refuse(`${path} cannot be loaded: ${(error as Error).message}`);
  }
  if (typeof commands !== 'object' || commands === null)
    throw refuse(`the default export of ${path} is no list of commands.`);
  for (const [words, entry] of Object.entries(
    commands as Readonly<Record<string, Partial<CommandEntry> | null>>,
  )) {
    if (!/^[a-z][\w-]*( [a-z][\w-]*)?$/.test(words))
      throw refuse(`"${words}" is no name for one, of a word or two.`);
    if (typeof entry?.summary !== 'string' || typeof entry.load !== 'function') {
      throw refuse(`"${words}" lacks a \`summary\`, or a function \`load\` that gives the command.`);
    }
  }
  return commands as Commands;
}

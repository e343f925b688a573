import { OptionError } from '@g2d/core';
import type { RunConfig } from './config-schema.js';
import { entriesOf, KNOWN_METHODS } from './method-names.js';

/** A module that a configuration names, and what it makes. */
export interface NamedModule {
  readonly path: string;
  readonly what: string;
}

/** The modules of somebody's own that are imported by whoever opens a configuration. */
export const modulesOf = (config: RunConfig): readonly NamedModule[] => [
  ...(config.dataset.name === 'module' ? named(config.dataset.path, 'the dataset') : []),
  ...modelModulesOf(config),
  ...entriesOf(config.method)
    .filter((name) => !KNOWN_METHODS.has(name))
    .flatMap((name) => named(name, 'a method')),
];

/** Those of its model alone: what a teacher brings. */
export const modelModulesOf = ({ encoders, fusion }: RunConfig): readonly NamedModule[] => [
  ...Object.entries(encoders).flatMap(([modality, { type, path }]) =>
    type === 'module' ? named(path, `the encoder for ${modality}`) : [],
  ),
  ...(fusion.type === 'module' ? named(fusion.path, 'the fusion') : []),
];

const named = (path: string | undefined, what: string): NamedModule[] =>
  path === undefined ? [] : [{ path, what }];

/** `./data.mjs (the dataset), ./mine.js (a method)`. */
export const describeModules = (modules: readonly NamedModule[]): string =>
  modules.map(({ path, what }) => `${path} (${what})`).join(', ');

/**
 * Refuses to load code that a folder names and its user does not: a run folder may be anybody's.
 *
 * @param modules What the folder names.
 * @param where The folder.
 * @param options `trust`: whether the user trusts it. `own`: modules that he has named himself.
 * @throws {OptionError} That says what would be loaded.
 */
export function assertTrusted(
  modules: readonly NamedModule[],
  where: string,
  { trust, own = [] }: { readonly trust: boolean; readonly own?: readonly NamedModule[] },
): void {
  const foreign = modules.filter(({ path }) => !own.some((known) => known.path === path));
  if (trust || foreign.length === 0) return;
  throw new OptionError(
    `The folder ${where} names modules that would be loaded: ${describeModules(foreign)}. They can do on this machine whatever you can. If you trust them, say so with --trust (in a program: \`trust: true\`).`,
    {
      option: 'trust',
      value: false,
      accepted: 'true, for a folder that is yours or that you have looked at',
    },
  );
}

import { OptionError } from '@g2d/core';
import { describeModules, modulesOf } from '@g2d/runs/internal';
import { parseConfig, RunFolder } from '@g2d/runs';
import { required } from '../data/arguments.js';

/** Of commands that load what a run folder names. */
export const trustOption = {
  help: 'load modules that run folders name: code that can do whatever you can',
} as const;

/** The one run folder that a command takes. */
export function onlyRun([path, ...rest]: readonly string[], command: string): string {
  const run = required('RUN', path, `a run folder, see g2d ${command} --help`);
  if (rest.length === 0) return run;
  throw new OptionError(
    `"${rest[0]}" is one argument too many; g2d ${command} takes one run. \`g2d compare\` takes several.`,
    { option: 'RUN', value: rest[0], accepted: 'one run folder' },
  );
}

/** What is about to be loaded of a folder that is trusted, as a line; `undefined` if it names no modules. */
export function loadingWords(path: string): string | undefined {
  const recorded = new RunFolder(path).config();
  const modules = recorded ? modulesOf(parseConfig(recorded, { where: `${path}/config.json` })) : [];
  return modules.length > 0 ? `Loading what ${path} names: ${describeModules(modules)}.` : undefined;
}

import { OptionError } from '@g2d/core';
import { required } from '../data/arguments.js';

/** The one run folder that a command takes. */
export function onlyRun([path, ...rest]: readonly string[], command: string): string {
  const run = required('RUN', path, `a run folder, see g2d ${command} --help`);
  if (rest.length === 0) return run;
  throw new OptionError(
    `"${rest[0]}" is one argument too many; g2d ${command} takes one run. \`g2d compare\` takes several.`,
    { option: 'RUN', value: rest[0], accepted: 'one run folder' },
  );
}

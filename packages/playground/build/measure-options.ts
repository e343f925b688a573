import { parseArgs } from 'node:util';
import { wholeNumber } from '../../../benchmarks/shared/arguments.js';

export const HELP = `Usage: npm run bench:playground -- [options]

Builds the playground, opens it in a headless Chromium as a visitor does, starts the training and times it: seconds to
the first point of the curves and to the end, and the longest task of the page's own thread in that time.

Options:
  --rounds N       each in a browser of its own (default: 1)
  --setting TEXT   what the page's address has (default: epochs=60&beside=nothing, which is G2D alone)
  --json           one JSON object
  --help           this text

CHROMIUM names a browser; default: the system's chromium.
`;

/** The command line, checked. */
export interface Options {
  readonly rounds: number;
  readonly setting: string;
  readonly json: boolean;
  readonly help: boolean;
}

/** @throws {OptionError} For a value that is not accepted. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '1' },
      setting: { type: 'string', default: 'epochs=60&beside=nothing' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  return { ...values, rounds: wholeNumber('rounds', values.rounds, 1) };
}

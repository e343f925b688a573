import { parseArgs } from 'node:util';
import { choice, wholeNumber } from '../shared/arguments.js';
import { architectures } from './architectures.js';

const NAMES = Object.keys(architectures);

export const HELP = `Usage: npm run bench:accelerate -- [options]

Times one training step of ordinary models, as plain TensorFlow.js layers and with accelerate(model), in turn: each in a
process of its own, in every round. Prints the median of each process's steps, the ratios and the memory.

Options:
  --only NAMES     of ${NAMES.join(', ')}, separated by commas (default: all)
  --rounds N       (default: 5)
  --steps N        steps that each process times, at least (default: 8)
  --seconds N      and how long it times them, at least (default: 2)
  --warmup N       steps before them, which are not timed (default: 2)
  --json           one JSON object
  --help           this text

benchmarks/README.md says how to read the numbers.
`;

/** The command line, checked. */
export interface Options {
  readonly only: readonly string[];
  readonly rounds: number;
  readonly steps: number;
  readonly seconds: number;
  readonly warmup: number;
  readonly json: boolean;
  readonly help: boolean;
}

/** @throws {OptionError} For a value that is not accepted. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: NAMES.join() },
      rounds: { type: 'string', default: '5' },
      steps: { type: 'string', default: '8' },
      seconds: { type: 'string', default: '2' },
      warmup: { type: 'string', default: '2' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { json, help } = values;
  return {
    only: values.only.split(',').map((name) => choice('only', name.trim(), NAMES)),
    rounds: wholeNumber('rounds', values.rounds, 1),
    steps: wholeNumber('steps', values.steps, 1),
    seconds: wholeNumber('seconds', values.seconds, 0),
    warmup: wholeNumber('warmup', values.warmup, 0),
    json,
    help,
  };
}

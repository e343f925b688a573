import { parseArgs } from 'node:util';
import { choice, wholeNumber } from '../shared/arguments.js';
import { comparisons } from './programs.js';

const GROUPS = Object.keys(comparisons);
const DEFAULT_GROUPS = ['joint', 'prioritized', 'online'];
const DATASETS = ['crema-d', 'av-mnist', 'vgg-sound'];

export const HELP = `Usage: npm run bench:pytorch -- [options]

Times one training step of a pair of ResNet-18 networks, ours (g2d bench step) and PyTorch's (step.py), in turn: each
in a process of its own, in every round, on all cores. Prints the median of each process's steps and the ratios.

Options:
  --only GROUPS    of ${GROUPS.join(', ')}, separated by commas (default: ${DEFAULT_GROUPS.join(',')})
  --rounds N       (default: 5)
  --steps N        steps that each process times (default: 8)
  --warmup N       steps before them, which are not timed (default: 2)
  --dataset NAME   ${DATASETS.join(', ')} (default: crema-d)
  --batch N        samples in a batch (default: 16)
  --install        make a Python environment with PyTorch in the user's cache folder, if there is none; a download of
                   about 3 GB on Linux x64 with pip's default wheel
  --json           one JSON object
  --help           this text

G2D_PYTHON names a Python that has torch and torchvision: then nothing is installed.
benchmarks/README.md says how to read the numbers.
`;

/** The command line, checked. */
export interface Options {
  readonly groups: readonly string[];
  readonly rounds: number;
  readonly steps: number;
  readonly warmup: number;
  readonly dataset: string;
  readonly batch: number;
  readonly install: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

/** @throws {OptionError} For a value that is not accepted. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: DEFAULT_GROUPS.join() },
      rounds: { type: 'string', default: '5' },
      steps: { type: 'string', default: '8' },
      warmup: { type: 'string', default: '2' },
      dataset: { type: 'string', default: 'crema-d' },
      batch: { type: 'string', default: '16' },
      install: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { install, json, help } = values;
  return {
    groups: values.only.split(',').map((name) => choice('only', name.trim(), GROUPS)),
    rounds: wholeNumber('rounds', values.rounds, 1),
    steps: wholeNumber('steps', values.steps, 1),
    warmup: wholeNumber('warmup', values.warmup, 0),
    dataset: choice('dataset', values.dataset, DATASETS),
    batch: wholeNumber('batch', values.batch, 1),
    install,
    json,
    help,
  };
}

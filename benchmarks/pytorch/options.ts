import { parseArgs } from 'node:util';
import { choice, wholeNumber } from '../shared/arguments.js';
import { networks } from './networks.js';
import { groups } from './groups.js';

const GROUPS = Object.keys(groups);
const DATASETS = Object.keys(networks);

export const HELP = `Usage: npm run bench:pytorch -- [options]

Times training steps of the six datasets' networks, ours and PyTorch's, in turn: each in a process of its own, in every
round, on all cores. Before that, both train from the same weights on the same batch: a network of PyTorch's whose losses
differ from ours is not timed.

Options:
  --only GROUPS      of ${GROUPS.join(', ')}, separated by commas (default: joint)
  --dataset NAMES    of ${DATASETS.join(', ')}, or all (default: all)
  --rounds N         (default: 3)
  --steps N          steps that each process times (default: 5)
  --warmup N         before them, not timed (default: 2)
  --batch N          samples in a batch (default: 16)
  --through COMMAND  what every program is run through, such as "taskset -c 0,1"
  --install          make a Python environment with PyTorch in the user's cache folder, if there is none; a download of
                     about 3 GB on Linux x64 with pip's default wheel
  --json             one JSON object
  --markdown FILE    also put the tables into a Markdown file, between <!-- bench:pytorch GROUP --> and
                     <!-- end of bench:pytorch GROUP -->
  --help             this text

G2D_PYTHON names a Python that has torch and torchvision: then nothing is installed.
benchmarks/README.md says how to read the numbers.
`;

/** The command line, checked. */
export interface Options {
  readonly groups: readonly string[];
  readonly datasets: readonly string[];
  readonly rounds: number;
  readonly steps: number;
  readonly warmup: number;
  readonly batch: number;
  readonly through: readonly string[];
  readonly install: boolean;
  readonly json: boolean;
  readonly markdown: string | undefined;
  readonly help: boolean;
}

/** @throws {OptionError} For a value that is not accepted. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: 'joint' },
      dataset: { type: 'string', default: 'all' },
      rounds: { type: 'string', default: '3' },
      steps: { type: 'string', default: '5' },
      warmup: { type: 'string', default: '2' },
      batch: { type: 'string', default: '16' },
      through: { type: 'string', default: '' },
      install: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      markdown: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { install, json, markdown, help } = values;
  const listed = (option: 'only' | 'dataset', accepted: readonly string[]): string[] =>
    values[option].split(',').map((name) => choice(option, name.trim(), accepted));
  return {
    groups: listed('only', GROUPS),
    datasets: values.dataset === 'all' ? DATASETS : listed('dataset', DATASETS),
    rounds: wholeNumber('rounds', values.rounds, 1),
    steps: wholeNumber('steps', values.steps, 1),
    warmup: wholeNumber('warmup', values.warmup, 0),
    batch: wholeNumber('batch', values.batch, 1),
    through: values.through.split(' ').filter(Boolean),
    install,
    json,
    markdown,
    help,
  };
}

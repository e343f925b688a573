// The options of `npm start`. Each but `out` and `epochs` is one setting of the runs, and checked as such.
import { parseArguments, parseSettings, parseWhole } from '@g2d/cli/internal';
import type { SweepChanges } from './sweeps.js';

const OPTIONS = {
  epochs: { value: 'N', help: 'epochs of each training (default 60; 30 is enough for a quick look)' },
  seed: { value: 'N', help: 'seed of initial weights, data order and augmentation (default 0)' },
  'batch-size': { value: 'N', help: 'samples in a step (default 64)' },
  'learning-rate': {
    value: 'X',
    help: 'of SGD with momentum 0.9 (default 0.05); a tenth after 70 % of the epochs',
  },
  scope: { value: 'S', help: 'what a suppressed modality loses: conv , encoder, encoder+head' },
  draw: { value: 'D', help: 'main (default) or second: other images and pairs' },
  out: { value: 'DIR', help: 'folder of the results (default runs/av-mnist-small)' },
  help: { help: 'this text' },
} as const;

const KEYS = {
  seed: 'seed',
  'batch-size': 'batchSize',
  'learning-rate': 'optimizer.learningRate',
  scope: 'methodOptions.smp.scope',
  draw: 'dataset.draw',
} as const;

export const HELP = `Trains G2D on a small real AV-MNIST (handwritten digits, and spoken digits in noise) and writes a report.

Usage: npm start -- [options]

${Object.entries(OPTIONS)
  .map(
    ([name, option]) => `  --${`${name} ${'value' in option ? option.value : ''}`.padEnd(18)}${option.help}`,
  )
  .join('\n')}

Environment: G2D_BACKEND = tensorflow | wasm | cpu forces a compute backend.
An interrupted run goes on when the same command is given again.
`;

/**
 * Reads the command line of `npm start`.
 *
 * @throws {OptionError} If an option is unknown or no number of epochs.
 */
export function changesOf(args: readonly string[]): SweepChanges {
  const { values } = parseArguments(OPTIONS, args);
  const settings = Object.entries(KEYS).flatMap(([name, key]) => {
    const value = values[name as keyof typeof KEYS];
    return value === undefined ? [] : [`${key}=${value}`];
  });
  return {
    out: values.out,
    ...(values.epochs !== undefined && { epochs: parseWhole('epochs', values.epochs, 1) }),
    set: parseSettings(settings),
  };
}

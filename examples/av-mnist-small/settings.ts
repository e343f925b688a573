import { parseArgs } from 'node:util';
import { OptionError } from '@g2d/core';
import type { ParameterScope } from '@g2d/fusion';

/** Everything that the results depend on, apart from backend and versions. */
export interface Settings {
  readonly seed: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  /** The learning rate falls to a tenth after 70 % of the epochs. */
  readonly dropAfter: readonly number[];
  /** τ_1, τ_2: one modality alone in the first half, both in the second. */
  readonly phaseEpochs: readonly [number, number];
  readonly scope: ParameterScope;
  /** α and β of Eq. 4. */
  readonly alpha: number;
  readonly beta: number;
  readonly temperature: number;
  /** Which images and pairs; `second` confirms a result on data it was not found on. */
  readonly draw: 'main' | 'second';
}

export const HELP = `Trains G2D on a small real AV-MNIST (handwritten digits, and spoken digits in noise) and writes a report.

Usage: npm start -- [options]

  --epochs N          epochs of each training (default 60; 30 is enough for a quick look)
  --seed N            seed of initial weights, data order and augmentation (default 0)
  --batch-size N      samples in a step (default 64)
  --learning-rate X   of SGD with momentum 0.9 (default 0.05); a tenth after 70 % of the epochs
  --scope S           what a suppressed modality loses: conv (default), encoder, encoder+head
  --draw D            main (default) or second: other images and pairs
  --out DIR           folder of the results (default runs/av-mnist-small)
  --help              this text

Environment: G2D_BACKEND = tensorflow | wasm | cpu forces a compute backend.
An interrupted run goes on when the same command is given again.
`;

const SCOPES = ['conv', 'encoder', 'encoder+head'] as const;
const DRAWS = ['main', 'second'] as const;

/**
 * Reads the command line.
 *
 * @throws {OptionError} If an option is unknown or its value impossible.
 */
export function parseSettings(args: readonly string[]): { settings: Settings; out: string; help: boolean } {
  const values = parse(args);
  const number = (option: keyof typeof values, fallback: number, least: number, whole: boolean): number => {
    const text = values[option];
    if (text === undefined) return fallback;
    const value = Number(text);
    const fits =
      text !== '' && value >= least && (whole ? Number.isSafeInteger(value) : Number.isFinite(value));
    if (!fits) {
      const accepted = `${whole ? 'a whole number' : 'a number'} of at least ${least}`;
      throw new OptionError(`\`--${option}\` is "${text}"; it must be ${accepted}.`, {
        option,
        value: text,
        accepted,
      });
    }
    return value;
  };
  const choice = <T extends string>(option: keyof typeof values, accepted: readonly T[]): T => {
    const value = values[option] ?? accepted[0];
    if (!accepted.includes(value as T)) {
      throw new OptionError(
        `\`--${option}\` is "${String(value)}"; it must be one of ${accepted.join(', ')}.`,
        {
          option,
          value,
          accepted: accepted.join(', '),
        },
      );
    }
    return value as T;
  };
  const epochs = number('epochs', 60, 1, true);
  const firstPhase = Math.floor(epochs / 2);
  return {
    help: values.help === true,
    out: values.out ?? 'runs/av-mnist-small',
    settings: {
      seed: number('seed', 0, 0, true),
      epochs,
      batchSize: number('batch-size', 64, 1, true),
      learningRate: number('learning-rate', 0.05, 0, false),
      momentum: 0.9,
      weightDecay: 1e-4,
      dropAfter: [Math.max(1, Math.floor((7 * epochs) / 10))],
      phaseEpochs: [firstPhase, epochs - firstPhase],
      scope: choice('scope', SCOPES),
      alpha: 1,
      beta: 1,
      temperature: 1,
      draw: choice('draw', DRAWS),
    },
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        epochs: { type: 'string' },
        seed: { type: 'string' },
        'batch-size': { type: 'string' },
        'learning-rate': { type: 'string' },
        scope: { type: 'string' },
        draw: { type: 'string' },
        out: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    const { message } = error as Error;
    throw new OptionError(`${message.split('. ')[0]}. \`npm start -- --help\` lists the options.`, {
      option: 'arguments',
      value: args,
      accepted: 'see --help',
    });
  }
}

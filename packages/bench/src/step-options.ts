import type { Arguments, CommandOptions } from '@g2d/cli';
import { parseArguments } from '@g2d/cli/internal';
import type { ParameterScope } from '@g2d/fusion';
import { OptionError, taskWords } from '@g2d/core';
import { stepDatasets, type StepDataset } from './step-datasets.js';
import { stepMethodOf, stepMethods } from './step-methods.js';
import type { StepSetup } from './step-setup.js';

export const BACKENDS = ['tensorflow', 'wasm', 'cpu'] as const;
export const PRECISIONS = ['float32', 'bfloat16'] as const;
export const SCOPES = ['conv', 'encoder', 'encoder+head'] as const satisfies ParameterScope[];

/** The command line of `g2d bench step`, complete and possible. */
export interface StepCommand {
  /** As it was given: the key of `stepDatasets`. */
  readonly dataset: string;
  readonly setup: StepSetup;
  /** Default: the fastest one that is present. */
  readonly backend: (typeof BACKENDS)[number] | undefined;
  readonly json: boolean;
}

/** The methods that have a trait. */
const having = (trait: Trait): string =>
  [...stepMethods].flatMap(([name, method]) => (method[trait] ? [name] : [])).join(', ');

type Trait = 'teachers' | 'phases' | 'scope';

const NAMES = [...stepMethods.keys()];

/** The options of `g2d bench step`. */
export const stepOptions = {
  dataset: { value: 'NAME', help: Object.keys(stepDatasets).join(', ') },
  batch: { value: 'N', default: '16', help: 'samples in a batch (default: 16)' },
  method: { value: 'NAME', default: 'joint', help: `${NAMES.join(', ')} (default: joint)` },
  phase: {
    value: 'NAME',
    help: `prioritized: one modality trains; joint: all of them (default: prioritized for ${having('phases')}, which alone have phases)`,
  },
  teachers: {
    value: 'KIND',
    help: `cached: outputs that were computed before; online: frozen models of the same encoders, which run in every step; none (default: cached for ${having('teachers')}, which need teachers)`,
  },
  scope: {
    value: 'SCOPE',
    help: `what ${having('scope')} modulate: ${SCOPES.join(', ')} (default: conv; encoder for Transformers)`,
  },
  prioritized: {
    value: 'NAME',
    help: `which modality trains in a prioritized phase, in every step: the teachers' logits are set so that it ranks first (default: the one whose encoder costs most, which makes the slowest step: ${defaultsOf()})`,
  },
  precision: {
    value: 'P',
    default: 'float32',
    help: `${PRECISIONS.join(', ')}, of the student's convolutions (default: float32)`,
  },
  'teacher-precision': { value: 'P', help: 'the same, of online teachers' },
  steps: { value: 'N', default: '10', help: 'steps that are timed (default: 10)' },
  warmup: { value: 'N', default: '2', help: 'steps before them, which are not (default: 2)' },
  json: {
    help: 'one JSON object: {"dataset", "batch", "method", "phase", "teachers", "backend", "device", "ms": {"min", "median", "p95"}, "peakRssMB"}, and of the options above those that apply',
  },
  backend: {
    value: 'NAME',
    help: `${BACKENDS.join(', ')} (default: the fastest one that is present)`,
  },
} as const satisfies CommandOptions;

function defaultsOf(): string {
  return Object.entries(stepDatasets)
    .map(([name, { costliest }]) => `${name} ${costliest}`)
    .join(', ');
}

/**
 * Reads what follows `g2d bench`, as `stepCommandOf` does.
 *
 * @throws {OptionError} For an unknown option too.
 */
export const parseStepCommand = (args: readonly string[]): StepCommand =>
  stepCommandOf(parseArguments(stepOptions, args));

/**
 * What a command line asks for.
 *
 * @throws {OptionError} For a value that is not accepted, and for options that do not go together: measuring something
 * else than was asked for would be worse.
 */
export function stepCommandOf({ values, positionals }: Arguments<typeof stepOptions>): StepCommand {
  if (positionals.join(' ') !== 'step') {
    throw refusal(
      'benchmark',
      positionals.join(' '),
      `g2d bench measures a step of training: g2d bench step --dataset crema-d. What came is "${positionals.join(' ')}".`,
      'step',
    );
  }
  const name = datasetOf(values.dataset);
  const dataset = stepDatasets[name] as StepDataset;
  const { method } = values;
  const traits = stepMethodOf(method);
  if (traits.task && traits.task !== dataset.task) {
    throw refusal(
      'method',
      method,
      `--method ${method} is for ${traits.task}, and --dataset ${name} is a ${taskWords(dataset.task)}. Use another method or dataset.`,
      NAMES.filter((other) => (stepMethods.get(other)?.task ?? dataset.task) === dataset.task).join(', '),
    );
  }

  const phase = choice('phase', values.phase ?? (traits.phases ? 'prioritized' : 'joint'), [
    'prioritized',
    'joint',
  ] as const);
  if (phase === 'prioritized' && !traits.phases) {
    throw refusal(
      'phase',
      phase,
      `--phase prioritized does not go with --method ${method}, which trains all modalities in every step. Leave it out, or use --method ${alternatives('phases')}.`,
      'joint',
    );
  }

  const teachers = choice('teachers', values.teachers ?? (traits.teachers ? 'cached' : 'none'), [
    'none',
    'cached',
    'online',
  ] as const);
  if ((teachers === 'none') === traits.teachers) {
    throw refusal(
      'teachers',
      teachers,
      traits.teachers
        ? `--teachers none does not go with --method ${method}, which needs teachers. Use --teachers cached or online.`
        : `--teachers ${teachers} does not go with --method ${method}, which has no teachers. Leave it out, or use --method ${alternatives('teachers')}.`,
      traits.teachers ? 'cached, online' : 'none',
    );
  }

  const given = (
    option: 'scope' | 'prioritized' | 'teacher-precision',
    fits: boolean,
    needs: string,
  ): boolean => {
    if (values[option] === undefined || fits) return fits;
    throw refusal(
      option,
      values[option],
      `--${option} has no effect without ${needs}. Leave it out, or change that.`,
      needs,
    );
  };
  const hasScope = given('scope', traits.scope, `a method that modulates gradients (${having('scope')})`);
  const isPrioritized = given('prioritized', phase === 'prioritized', '--phase prioritized');
  const isOnline = given('teacher-precision', teachers === 'online', '--teachers online');
  return {
    dataset: name,
    setup: {
      dataset,
      batch: wholeNumber('batch', values.batch, 1),
      method,
      phase,
      teachers,
      ...(hasScope && { scope: choice('scope', values.scope ?? dataset.scope, SCOPES) }),
      ...(isPrioritized && {
        prioritized: choice(
          'prioritized',
          values.prioritized ?? dataset.costliest,
          Object.keys(dataset.modalities),
        ),
      }),
      precision: choice('precision', values.precision, PRECISIONS),
      ...(isOnline && {
        teacherPrecision: choice('teacher-precision', values['teacher-precision'] ?? 'float32', PRECISIONS),
      }),
      steps: wholeNumber('steps', values.steps, 1),
      warmup: wholeNumber('warmup', values.warmup, 0),
    },
    backend: values.backend === undefined ? undefined : choice('backend', values.backend, BACKENDS),
    json: values.json,
  };
}

function datasetOf(name: string | undefined): string {
  const accepted = Object.keys(stepDatasets);
  if (name === undefined) {
    throw refusal(
      'dataset',
      name,
      `--dataset is missing; it can be ${accepted.join(', ')}.`,
      accepted.join(', '),
    );
  }
  return choice('dataset', name, accepted);
}

const alternatives = (trait: Trait): string => having(trait).replace(/, (?=[^,]*$)/, ' or ');

function refusal(option: string, value: unknown, message: string, accepted: string): OptionError {
  return new OptionError(message, { option, value, accepted });
}

function choice<T extends string>(option: string, value: string, accepted: readonly T[]): T {
  const known = accepted.find((name) => name === value);
  if (known !== undefined) return known;
  const names = accepted.join(', ');
  throw refusal(option, value, `--${option} is "${value}"; it can be ${names}.`, names);
}

function wholeNumber(option: string, value: string, least: number): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && Number.isSafeInteger(number) && number >= least) return number;
  throw refusal(
    option,
    value,
    `--${option} is "${value}"; it must be a whole number of at least ${least}.`,
    `a whole number ≥ ${least}`,
  );
}

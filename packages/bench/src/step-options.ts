import type { Arguments, CommandOptions } from '@g2d/cli';
import { parseArguments } from '@g2d/cli/internal';
import type { ParameterScope } from '@g2d/fusion';
import { G2DError, OptionError, shown, taskWords } from '@g2d/core';
import { stepDatasets, type StepDataset } from './step-datasets.js';
import { hasSteps, stepMethodOf, stepMethods } from './step-methods.js';
import type { StepSetup } from './step-setup.js';

export const BACKENDS = ['tensorflow', 'wasm', 'cpu'] as const;
export const PRECISIONS = ['float32', 'bfloat16'] as const;
export const SCOPES = ['conv', 'encoder', 'encoder+head'] as const satisfies ParameterScope[];

/** The command line of `g2d bench step`, complete and possible. */
export interface StepCommand {
  /** As it was given: the key of `stepDatasets`. */
  readonly dataset: string;
  readonly setup: StepSetup;
  /** Of `--method all`, or of a list: the others that are measured in turn with joint training, and why some are not. */
  readonly compared?: {
    readonly setups: readonly StepSetup[];
    readonly skipped: readonly Skipped[];
    readonly rounds: number;
  };
  /** Default: the fastest one that is present. */
  readonly backend: (typeof BACKENDS)[number] | undefined;
  /** Whether to say where the step's time goes. */
  readonly operations: boolean;
  readonly json: boolean;
}

/** A method that is not measured. */
export interface Skipped {
  readonly method: string;
  readonly reason: string;
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
  method: {
    value: 'NAME',
    default: 'joint',
    help: `${NAMES.join(', ')} (default: joint); several, joined by commas, or all: each in turn with joint training, and the ratio`,
  },
  options: {
    value: 'JSON',
    help: 'options of the method, in place of the usual ones: \'{"alpha": 1}\'',
  },
  rounds: {
    value: 'N',
    help: 'of several methods: how often each is measured, in turn with joint training (default: 3)',
  },
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
  processes: {
    value: 'N',
    help: 'time a step of N processes of this machine, each with such a batch and its share of the processors, and say what they send: {"network": {"sums", "megabytes", "gigabits"}}; srun and mpirun start them without this',
  },
  operations: {
    help: 'also each operation of TensorFlow above 1 % of the step: how many, its time, and how much of what this machine can do; on a CPU',
  },
  json: {
    help: 'one JSON object: {"dataset", "batch", "method", "phase", "teachers", "backend", "device", "ms": {"min", "median", "p95"}, "peakRssMB"}, and of the options above those that apply; with --operations also "operations": [{"operation", "calls", "ms", "share", "gigaflops" (a step), "gigaflopsPerSecond" or "gigabytesPerSecond", "ofLimit"}] and "limits"',
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
  const names = values.method === 'all' ? NAMES : values.method.split(',');
  if (values.method === 'all' || names.length > 1) return comparedCommandOf({ values, positionals }, names);
  if (values.rounds !== undefined) {
    throw refusal(
      'rounds',
      values.rounds,
      '--rounds has no effect with one method. Leave it out, or take several: --method all.',
      'several methods',
    );
  }
  const name = datasetOf(values.dataset);
  const dataset = stepDatasets[name] as StepDataset;
  const { method } = values;
  const traits = stepMethodOf(method);
  if (!hasSteps(traits)) {
    throw refusal(
      'method',
      method,
      `--method ${method} trains nothing: ${traits.recipe.cost.more ?? 'it has no steps'}. Use another method.`,
      NAMES.filter((other) => hasSteps(stepMethodOf(other))).join(', '),
    );
  }
  if (traits.least > Object.keys(dataset.modalities).length) {
    throw refusal(
      'method',
      method,
      `--method ${method} needs ${traits.least} modalities, and --dataset ${name} has fewer. Use another method or dataset.`,
      NAMES.join(', '),
    );
  }
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
      ...(values.options !== undefined && { options: optionsOf(values.options) }),
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
    operations: values.operations,
    json: values.json,
  };
}

/** Several methods, each as it is alone. */
function comparedCommandOf(
  { values, positionals }: Arguments<typeof stepOptions>,
  names: readonly string[],
): StepCommand {
  const OF_ONE = [
    'phase',
    'teachers',
    'scope',
    'prioritized',
    'teacher-precision',
    'options',
    'operations',
  ] as const;
  const given = OF_ONE.find((option) => values[option] !== undefined && values[option] !== false);
  if (given) {
    throw refusal(
      given,
      values[given],
      `--${given} is for one method, and --method ${values.method} has several. Leave it out.`,
      'one method',
    );
  }
  const { rounds, ...rest } = values;
  const alone = (method: string): StepCommand =>
    stepCommandOf({ values: { ...rest, method, rounds: undefined }, positionals });
  const setups: StepSetup[] = [];
  const skipped: Skipped[] = [];
  for (const method of names) {
    // A name that is none is a mistake; a method that does not fit is told of.
    stepMethodOf(method);
    if (method === 'joint') continue;
    try {
      setups.push(alone(method).setup);
    } catch (error) {
      if (!G2DError.isInstance(error) || error.details?.['option'] !== 'method') throw error;
      skipped.push({ method, reason: error.message });
    }
  }
  return {
    ...alone('joint'),
    compared: { setups, skipped, rounds: wholeNumber('rounds', rounds ?? '3', 1) },
  };
}

function optionsOf(text: string): Readonly<Record<string, unknown>> {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    found = undefined;
  }
  if (typeof found === 'object' && found !== null && !Array.isArray(found))
    return found as Readonly<Record<string, unknown>>;
  throw refusal(
    'options',
    text,
    `--options is ${shown(text)}; it must be a JSON object, such as '{"alpha": 1}'.`,
    'a JSON object',
  );
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

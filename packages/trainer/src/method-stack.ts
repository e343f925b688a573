import {
  OptionError,
  taskWords,
  type Hooks,
  type Method,
  type Model,
  type Needs,
  type StageHooks,
  type Task,
} from '@g2d/core';
import type { LossOptions } from './loss-options.js';

/** A stack of methods and what it is to train. */
export interface Stack<M extends string> {
  readonly model: Pick<Model<M>, 'modalities' | 'parameters'>;
  readonly methods: readonly Method<M>[];
  readonly teachers?: unknown;
  readonly epochs: number;
  readonly task?: Task;
  readonly loss?: LossOptions | undefined;
  readonly evaluate?: unknown;
  readonly everyValidationSample?: unknown;
  readonly allReduce?: { readonly processes: number } | undefined;
}

const STAGE_HOOKS = [
  'plan',
  'forward',
  'loss',
  'edit',
  'step',
  'epoch',
] as const satisfies readonly (keyof StageHooks<string>)[];

const HOOKS = [
  'init',
  'fusion',
  'withheld',
  'stages',
  ...STAGE_HOOKS,
] as const satisfies readonly (keyof Hooks<string>)[];

/** @throws {OptionError} If it has a function that is neither a hook nor one of `others`: it would never be called. */
export function assertHooks(hooks: object, others: readonly string[], where: string): void {
  const known: readonly string[] = others.includes('epochs') ? STAGE_HOOKS : HOOKS;
  const unknown = Object.entries(hooks).find(
    ([key, value]) => typeof value === 'function' && !known.includes(key) && !others.includes(key),
  );
  if (!unknown) return;
  throw new OptionError(`${where} has no hook "${unknown[0]}"; the hooks are ${known.join(', ')}.`, {
    option: 'methods',
    value: unknown[0],
    accepted: known.join(', '),
  });
}

/**
 * @param where Where it comes from, for errors.
 * @throws {OptionError} If it is no method, or has a function that is no hook.
 */
export function assertMethod(method: unknown, where: string): asserts method is Method<string> {
  const refuse = (message: string): never => {
    throw new OptionError(message, {
      option: 'methods',
      value: where,
      accepted: 'an object with a name and hooks',
    });
  };
  if (typeof method !== 'object' || method === null)
    refuse(`${where} is no method: an object with a name and hooks.`);
  const { name } = method as { readonly name?: unknown };
  if (typeof name !== 'string' || name === '')
    refuse(`${where} is a method without a \`name\`, which logs and checkpoints need.`);
  assertHooks(method as object, ['name'], `The method "${String(name)}"`);
}

const VALUES = { sigmoid: 'the sigmoid of the output', identity: 'the output itself' };

/** @throws {OptionError} If methods do not go together, or not with the task, the model or the lack of teachers. */
export function assertMethods<M extends string>({
  model,
  methods,
  teachers,
  epochs,
  task = 'classification',
  loss,
  evaluate,
  everyValidationSample,
  allReduce,
}: Stack<M>): void {
  const refuse = (message: string, value: unknown, accepted: string, option = 'methods'): never => {
    throw new OptionError(message, { option, value, accepted });
  };
  if (!(Number.isInteger(epochs) && epochs >= 0)) {
    const problem = `\`epochs\` is ${epochs}; it must be a whole number of at least 0.`;
    refuse(problem, epochs, 'a whole number ≥ 0', 'epochs');
  }
  for (const method of methods) {
    assertMethod(method, 'One of `methods`');
    const { name, needs = {} } = method;
    if (needs.teachers && !teachers) {
      const wanted = needs.teachers === 'full' ? 'of all modalities' : 'for each modality';
      const problem = `The method "${name}" needs a trained teacher ${wanted}; pass \`teachers\`.`;
      refuse(problem, undefined, 'frozenTeachers({ … })', 'teachers');
    }
    if (needs.validation === 'features' && !everyValidationSample) {
      refuse(
        `The method "${name}" looks at the samples of the validation split; pass \`everyValidationSample\`.`,
        name,
        'a training with a validation split',
      );
    }
    if (needs.validation === 'every-epoch' && !evaluate) {
      refuse(
        `The method "${name}" reads the validation scores of every epoch; pass \`evaluate\`.`,
        name,
        'a training with validation',
      );
    }
    const { processes = 1 } = allReduce ?? {};
    if (needs.processes === 'one' && processes > 1) {
      refuse(
        `The method "${name}" needs all of a batch in one process, and ${processes} would share it. Train it in one.`,
        processes,
        'one process',
        'processes',
      );
    }
    if (needs.task && needs.task !== task) {
      refuse(
        `The method "${name}" is for ${needs.task}, but this is a ${taskWords(task)}.`,
        name,
        `methods for a ${taskWords(task)}`,
      );
    }
    const { output = 'sigmoid' } = loss ?? {};
    if (needs.output && task === 'regression' && needs.output !== output) {
      refuse(
        `The method "${name}" predicts ${VALUES[needs.output]}, but this training ${VALUES[output]}. Set \`output\` of \`loss\` to "${needs.output}", for all runs that are compared.`,
        output,
        needs.output,
        'loss.output',
      );
    }
    const { modalities } = model;
    const { min = 1, max = Infinity } = needs.modalities ?? {};
    if (modalities.length < min || modalities.length > max) {
      const wanted = max === Infinity ? `${min} modalities or more` : `${min} to ${max} modalities`;
      refuse(
        `The method "${name}" needs ${wanted}, but the model has ${modalities.length}: ${modalities.join(', ')}.`,
        name,
        wanted,
      );
    }
    assertParameters(model, name, needs);
  }
  const twice = methods.find(({ name }, i) => methods.findIndex((other) => other.name === name) !== i);
  if (twice)
    refuse(
      `The method "${twice.name}" is there twice. Leave one of them out.`,
      twice.name,
      'each method once',
    );
  assertOwners(methods);
}

/** @throws {OptionError} If a modality has no parameter of the kinds that a method acts on. */
function assertParameters<M extends string>(
  { modalities, parameters }: Pick<Model<M>, 'modalities' | 'parameters'>,
  name: string,
  { parameters: roles }: Needs,
): void {
  if (!roles) return;
  const without = modalities.find(
    (modality) =>
      !parameters.some((parameter) => parameter.modality === modality && roles.includes(parameter.role)),
  );
  if (without === undefined) return;
  const accepted = roles.join(', ');
  throw new OptionError(
    `The method "${name}" acts on parameters of the kind ${accepted}, and ${without} has none in this model, so it would do nothing to it. Set its "scope": "encoder" is right for encoders without convolutions and for fusions whose heads all modalities share.`,
    { option: 'scope', value: without, accepted },
  );
}

const GIVES = {
  fusion: 'the fusion',
  stages: 'the stages',
  forward: 'what the model gives',
  loss: 'the loss',
  step: 'the whole step',
};

/** @throws {OptionError} If two methods give what only one can give. */
export function assertOwners<M extends string>(methods: readonly Method<M>[]): void {
  const refuse = (message: string, value: readonly string[], accepted: string): never => {
    throw new OptionError(message, { option: 'methods', value, accepted });
  };
  for (const hook of Object.keys(GIVES) as (keyof typeof GIVES)[]) {
    const owners = methods.filter((method) => method[hook]).map(({ name }) => name);
    if (owners.length < 2) continue;
    refuse(
      `Only one method can give ${GIVES[hook]}, but ${owners.join(' and ')} do. Leave out all but one.`,
      owners,
      `at most one method with a \`${hook}\``,
    );
  }
  const whole = methods.find(({ step }) => step);
  const part = methods.find((method) => method !== whole && (method.forward ?? method.loss));
  if (!whole || !part) return;
  refuse(
    `"${whole.name}" does the whole step its own way, so the ${part.loss ? 'loss' : 'forward pass'} of "${part.name}" would never run. Leave one of them out.`,
    [whole.name, part.name],
    `"${whole.name}" alone, or with methods that plan and edit`,
  );
}

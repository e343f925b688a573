import type { Task } from '@g2d/core';
import { OptionError } from '@g2d/core';
import type { Method } from './method.js';

/** A stack of methods and what it is to train. */
interface Stack<M extends string> {
  readonly model: { readonly modalities: readonly M[] };
  readonly methods: readonly Method<M>[];
  readonly teachers?: unknown;
  readonly epochs: number;
  readonly task?: Task;
  readonly evaluate?: unknown;
}

/** What a method can have. */
const PARTS: ReadonlySet<string> = new Set<keyof Required<Method<string>>>([
  'name',
  'teachers',
  'task',
  'validation',
  'modalities',
  'fusion',
  'onTrainStart',
  'onEpochStart',
  'onEpochEnd',
  'onTrainEnd',
  'onStepStart',
  'activeVariables',
  'encoderTraining',
  'loss',
  'afterBackward',
  'trainStep',
  'stepLog',
  'predict',
  'getState',
  'setState',
]);

/**
 * @param where Where it comes from, for errors.
 * @throws {OptionError} If it is no method, or has a function that is no hook: it would never be called.
 */
export function assertMethod(method: unknown, where: string): asserts method is Method<string> {
  const refuse = (message: string): never => {
    throw new OptionError(message, { option: 'methods', value: where, accepted: [...PARTS].join(', ') });
  };
  if (typeof method !== 'object' || method === null)
    refuse(`${where} is no method: an object with a name and hooks.`);
  const { name } = method as { readonly name?: unknown };
  if (typeof name !== 'string' || name === '')
    refuse(`${where} is a method without a \`name\`, which logs and checkpoints need.`);
  const strange = Object.entries(method as object).find(
    ([key, value]) => typeof value === 'function' && !PARTS.has(key),
  );
  if (strange)
    refuse(
      `The method "${String(name)}" has no hook "${strange[0]}"; the hooks are ${[...PARTS].slice(5).join(', ')}.`,
    );
}

/** @throws {OptionError} If methods do not go together, or not with the task, the model or the lack of teachers. */
export function assertMethods<M extends string>({
  model: { modalities },
  methods,
  teachers,
  epochs,
  task = 'classification',
  evaluate,
}: Stack<M>): void {
  const refuse = (message: string, value: unknown, accepted: string): never => {
    throw new OptionError(message, { option: 'methods', value, accepted });
  };
  if (!(Number.isInteger(epochs) && epochs >= 0)) {
    throw new OptionError(`\`epochs\` is ${epochs}; it must be a whole number of at least 0.`, {
      option: 'epochs',
      value: epochs,
      accepted: 'a whole number ≥ 0',
    });
  }
  for (const method of methods) {
    assertMethod(method, 'One of `methods`');
    const { name, modalities: needed } = method;
    if (method.teachers === 'unimodal' && !teachers) {
      throw new OptionError(
        `The method "${name}" needs a trained teacher for each modality; pass \`teachers\`.`,
        { option: 'teachers', value: undefined, accepted: 'frozenTeachers({ … })' },
      );
    }
    if (method.validation && !evaluate) {
      refuse(
        `The method "${name}" reads the validation scores of every epoch; pass \`evaluate\`.`,
        name,
        'a training with validation',
      );
    }
    if (method.task && method.task !== task) {
      refuse(
        `The method "${name}" is for ${method.task}, but this is a ${task}.`,
        name,
        `methods for a ${task}`,
      );
    }
    const [least, most] = [needed?.least ?? 1, needed?.most ?? Infinity];
    if (modalities.length < least || modalities.length > most) {
      const wanted = most === Infinity ? `${least} modalities or more` : `${least} to ${most} modalities`;
      refuse(
        `The method "${name}" needs ${wanted}, but the model has ${modalities.length}: ${modalities.join(', ')}.`,
        name,
        wanted,
      );
    }
  }
  const twice = methods.find(({ name }, i) => methods.findIndex((other) => other.name === name) !== i);
  if (twice)
    refuse(
      `The method "${twice.name}" is there twice. Leave one of them out.`,
      twice.name,
      'each method once',
    );
  for (const hook of ['loss', 'trainStep', 'predict', 'fusion'] as const) assertOneOwner(methods, hook);
  const whole = methods.find((method) => method.trainStep);
  const part = methods.find(
    (method) => method !== whole && (method.loss ?? method.afterBackward ?? method.activeVariables),
  );
  if (whole && part) {
    refuse(
      `"${whole.name}" does the whole step its own way, so "${part.name}" could not change its loss, its gradients or what trains. Leave one of them out.`,
      [whole.name, part.name],
      `"${whole.name}" alone`,
    );
  }
}

const GIVES = {
  loss: 'the loss',
  trainStep: 'the whole step',
  predict: 'the predictions',
  fusion: 'the fusion',
};

function assertOneOwner<M extends string>(methods: readonly Method<M>[], hook: keyof typeof GIVES): void {
  const owners = methods.filter((method) => method[hook]).map(({ name }) => name);
  if (owners.length < 2) return;
  throw new OptionError(
    `Only one method can give ${GIVES[hook]}, but ${owners.join(' and ')} do. Leave out all but one.`,
    { option: 'methods', value: owners, accepted: `at most one method with a \`${hook}\`` },
  );
}

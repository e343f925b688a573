import type * as tf from '@tensorflow/tfjs-core';
import { OptionError, shown, TASKS, type Task } from '@g2d/core';
import { assertShape } from '@g2d/tensor-ops';

/** Throws unless an option has one of the values that it may have: types do not stop plain JavaScript. */
export function assertOneOf(option: string, value: string, accepted: readonly string[]): void {
  if (accepted.includes(value)) return;
  const quoted = accepted.map((choice) => `'${choice}'`).join(' or ');
  throw new OptionError(`\`${option}\` is ${shown(value)}; it must be ${quoted}.`, {
    option,
    value,
    accepted: quoted,
  });
}

export const assertTask = (task: string): void => assertOneOf('task', task, TASKS);

/** Throws unless logits are `[B, C]`, or `[B, 1]` for regression: any other width would be a classifier's. */
export function assertLogits(argument: string, logits: tf.Tensor, task: Task): void {
  if (task === 'regression') assertShape(argument, logits, [null, 1], '[B, 1], one output for regression');
  else assertShape(argument, logits, [null, null], '[B, C]');
}

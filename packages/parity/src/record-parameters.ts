import * as tf from '@tensorflow/tfjs-core';
import type { NamedGradient } from '@g2d/core';
import type { Optimizer } from '@g2d/core';
import type { TrainCase } from './case.js';
import { difference, norm, projection, sum } from './numbers.js';
import type { Rows } from './read-expected.js';
import { tensorValues } from './recipe.js';
import { isRunningStatistic } from './torch-tensors.js';
import { toTorch, type TorchWeights } from './weights.js';

const project = ({ seed, student }: TrainCase, name: string, values: ArrayLike<number>): number =>
  projection(values, { seed, name: `${student.prefix}/${name}` });

/** L2 norm and projection of every parameter's gradient. */
export function gradientRows(
  parityCase: TrainCase,
  weights: TorchWeights,
  gradients: readonly NamedGradient[],
): Rows {
  const byVariable = new Map(gradients.map(({ name, tensor }) => [name, tensor]));
  const rows = new Map<string, number[]>();
  for (const { name } of parityCase.student.tensors) {
    if (isRunningStatistic(name)) continue;
    const tensor = byVariable.get(weights.variableOf(name));
    if (!tensor) throw new Error(`The loss gives ${name} no gradient.`);
    const values = toTorch(tensor);
    rows.set(name, [norm(values), project(parityCase, name, values)]);
  }
  return rows;
}

/**
 * The final parameters with their change since the start and their momentum, each row after that of `gradients`; and the
 * final running statistics.
 */
export function parameterRows(
  parityCase: TrainCase,
  weights: TorchWeights,
  optimizer: Optimizer,
  gradients: Rows,
): { readonly parameters: Rows; readonly buffers: Rows } {
  const [parameters, buffers] = [new Map<string, readonly number[]>(), new Map<string, readonly number[]>()];
  const state = optimizer.getState();
  const { seed, student } = parityCase;
  for (const { name, scale, offset } of student.tensors) {
    const values = weights.values(name);
    if (isRunningStatistic(name)) {
      buffers.set(name, [norm(values), project(parityCase, name, values)]);
      continue;
    }
    const start = tensorValues({ seed, name: `${student.prefix}/${name}`, scale, offset }, values.length);
    const change = difference(values, start);
    // Without momentum the optimizer keeps none, as PyTorch's.
    const velocity = state[`${weights.variableOf(name)}/velocity`];
    const momentum = velocity ? toTorch(velocity) : [];
    parameters.set(name, [
      ...(gradients.get(name) as readonly number[]),
      sum(values),
      norm(values),
      norm(change),
      project(parityCase, name, change),
      norm(momentum),
      project(parityCase, name, momentum),
    ]);
  }
  tf.dispose(state);
  return { parameters, buffers };
}

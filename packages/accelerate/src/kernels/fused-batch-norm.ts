import * as tf from '@tensorflow/tfjs-core';
import { sharedStatistics } from '../shared-statistics.js';
import type { BatchNormAttributes, BatchNormInputs, BatchNormResult } from './batch-norm-types.js';
import {
  attribute,
  defineKernel,
  disposeSaved,
  hasOperation,
  runKernel,
  tensorflow,
  type Attribute,
} from '@g2d/tensor-ops/tensorflow';
import { activationAttributes, isLinear, LINEAR, type Activation } from './activation.js';
import { windowAttribute, type PaddedWindow } from './max-pool.js';

// Training's batch normalization together with what follows it, as `@g2d/native` adds it to TensorFlow. Two passes over
// memory forward and two back, where TensorFlow's operations one after the other make up to eight.
const BATCH_NORM = 'G2dV2BatchNorm';
const ADD = 'G2dV2BatchNormAdd';
const MAX_POOL = 'G2dV1BatchNormReluMaxPool';

const KERNEL = 'G2dFusedBatchNorm';
const KERNEL_ADD = 'G2dFusedBatchNormAdd';
const KERNEL_ADD_ACTIVATED = 'G2dFusedBatchNormAddActivated';
const KERNEL_MAX_POOL = 'G2dFusedBatchNormReluMaxPool';

const run = (
  operation: string,
  attributes: readonly Attribute[],
  inputs: readonly (tf.Tensor | undefined)[],
  outputs: number,
): tf.Tensor[] =>
  tensorflow().executeMultipleOutputs(operation, attributes, inputs as readonly tf.Tensor[], outputs);

const statistics = ({ epsilon, momentum }: BatchNormAttributes): Attribute[] => [
  attribute.float('epsilon', epsilon),
  attribute.float('momentum', momentum),
];

const operands = ({ x, gamma, beta }: Readonly<Record<string, tf.Tensor>>, options: BatchNormAttributes) => [
  x,
  gamma,
  beta,
  options.mean,
  options.variance,
];

/** All gradients are computed at once, in the order of the operation's outputs. */
const gradients = (names: readonly string[], tensors: readonly tf.Tensor[]) =>
  Object.fromEntries(names.map((name, i) => [name, () => tensors[i] as tf.Tensor]));

const INPUTS = ['x', 'gamma', 'beta'] as const;

type Activated = BatchNormAttributes & { readonly activation: Activation };

/** Registers the kernels and their gradients for the `tensorflow` backend. */
export function registerFusedBatchNorm(): void {
  // Beside y and the running statistics: μ, gamma/σ and 1/σ of the batch, for the gradient. What the activation let
  // through is computed from x again, so that y need not be kept.
  defineKernel<Activated>({
    name: KERNEL,
    inputsToSave: ['x', 'beta'],
    outputsToSave: [false, false, false, true, true, true],
    forward: (inputs, options) =>
      run(
        BATCH_NORM,
        [...statistics(options), ...activationAttributes(options.activation)],
        operands(inputs, options),
        6,
      ),
    gradient: ([dy], [x, ...saved], { activation }) =>
      gradients(
        INPUTS,
        run(`${BATCH_NORM}Grad`, activationAttributes(activation), [x, dy, ...saved], INPUTS.length),
      ),
  });
  const add = (inputs: Readonly<Record<string, tf.Tensor>>, options: Activated): tf.Tensor[] =>
    run(
      ADD,
      [...statistics(options), ...activationAttributes(options.activation)],
      [...operands(inputs, options), inputs['residual']],
      6,
    );
  // A sum alone gives its gradient to both summands: y need not be kept.
  defineKernel<Activated>({
    name: KERNEL_ADD,
    inputsToSave: ['x', 'beta'],
    outputsToSave: [false, false, false, true, true, true],
    forward: add,
    gradient: ([dy], [x, ...saved]) => ({
      ...gradients(
        INPUTS,
        run(`${BATCH_NORM}Grad`, activationAttributes(LINEAR), [x, dy, ...saved], INPUTS.length),
      ),
      residual: () => tf.clone(dy as tf.Tensor),
    }),
  });
  defineKernel<Activated>({
    name: KERNEL_ADD_ACTIVATED,
    inputsToSave: ['x', 'beta'],
    outputsToSave: [true, false, false, true, true, true],
    forward: add,
    gradient: ([dy], [x, beta, y, ...saved], { activation }) => {
      const names = [...INPUTS, 'residual'];
      const inputs = [x, dy, beta, ...saved, y];
      return gradients(names, run(`${ADD}Grad`, activationAttributes(activation), inputs, names.length));
    },
  });
  defineKernel<BatchNormAttributes & PaddedWindow>({
    name: KERNEL_MAX_POOL,
    inputsToSave: ['x', 'beta'],
    // Of each window the value that won and its place.
    outputsToSave: [false, true, true, false, false, true, true, true],
    forward: (inputs, options) =>
      run(MAX_POOL, [...statistics(options), windowAttribute(options)], operands(inputs, options), 8),
    gradient: ([dy], [x, beta, winner, place, ...saved], options) =>
      gradients(
        INPUTS,
        run(
          `${MAX_POOL}Grad`,
          [windowAttribute(options)],
          [x, dy, beta, ...saved, winner, place],
          INPUTS.length,
        ),
      ),
  });
}

/** Whether the operations are there, and compute this: training on at least one value, by the statistics of one process. */
export const canFuse = (x: tf.Tensor, { training }: BatchNormAttributes): boolean =>
  training && !sharedStatistics() && x.size > 0 && hasOperation(BATCH_NORM, attempt);

function attempt(): void {
  const [zeros, ones] = [tf.zeros([1]), tf.ones([1])];
  const options = { epsilon: 1, training: true, momentum: 1, mean: zeros, variance: ones };
  const inputs = { x: tf.ones([2, 1, 1, 1]), gamma: ones, beta: zeros };
  run(BATCH_NORM, [...statistics(options), ...activationAttributes(LINEAR)], operands(inputs, options), 6);
}

function result([y, mean, variance, ...rest]: readonly (tf.Tensor | undefined)[]): BatchNormResult {
  disposeSaved(rest as tf.Tensor[]);
  return { y, mean, variance } as BatchNormResult;
}

/** See `batchNorm`. */
export const fusedBatchNorm = (
  inputs: BatchNormInputs,
  attributes: BatchNormAttributes,
  activation: Activation,
): BatchNormResult => result(runKernel<tf.Tensor[]>(KERNEL, { ...inputs }, { ...attributes, activation }));

/** See `batchNormAdd`. */
export function fusedBatchNormAdd(
  inputs: BatchNormInputs,
  residual: tf.Tensor,
  attributes: BatchNormAttributes,
  activation: Activation,
): BatchNormResult {
  const name = isLinear(activation) ? KERNEL_ADD : KERNEL_ADD_ACTIVATED;
  return result(runKernel<tf.Tensor[]>(name, { ...inputs, residual }, { ...attributes, activation }));
}

/** See `batchNormReluMaxPool`. */
export function fusedBatchNormReluMaxPool(
  inputs: BatchNormInputs,
  attributes: BatchNormAttributes,
  options: PaddedWindow,
): BatchNormResult {
  const outputs = runKernel<tf.Tensor[]>(KERNEL_MAX_POOL, { ...inputs }, { ...attributes, ...options });
  const [y, winner, place, ...rest] = outputs;
  disposeSaved([winner, place] as tf.Tensor[]);
  return result([y, ...rest]);
}

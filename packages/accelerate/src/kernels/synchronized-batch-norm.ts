import * as tf from '@tensorflow/tfjs-core';
import { defineKernel, disposeSaved, runKernel } from '@g2d/tensor-ops/tensorflow';
import { sharedStatistics, type SumOverProcesses } from '../shared-statistics.js';
import { activationGradient, isLinear, type Activation } from './activation.js';
import type { BatchNormAttributes, BatchNormInputs, BatchNormResult } from './batch-norm-types.js';

// Batch normalization over the rows of several processes. Sums go between them three times: of x, of its squared distance from the mean, and of the
// gradients. The rest is what one process does with statistics that are given.

const KERNEL = 'G2dSynchronizedBatchNorm';

type Options = BatchNormAttributes & { readonly activation: Activation };

/** Normalization by given statistics, and its gradients: an operation each. */
export interface GivenStatistics {
  forward(inputs: Readonly<Record<string, tf.Tensor>>, epsilon: number, activation: Activation): tf.Tensor;
  gradients(
    dy: tf.Tensor,
    saved: readonly tf.Tensor[],
    epsilon: number,
  ): { x(): tf.Tensor; gamma(): tf.Tensor; beta(): tf.Tensor };
}

const sumOver = (): SumOverProcesses => {
  const sum = sharedStatistics();
  if (sum) return sum;
  throw new Error('Statistics that processes share are differentiated in the scope in which they were made.');
};

const rowsOf = (x: tf.Tensor): number => x.size / (x.shape.at(-1) as number);
const overRows = (x: tf.Tensor): tf.Tensor =>
  tf.sum(
    x,
    x.shape.slice(0, -1).map((_, axis) => axis),
  );

/** Registers the kernel and its gradient for the `tensorflow` backend. */
export function registerSynchronizedBatchNorm(given: GivenStatistics): void {
  defineKernel<Options>({
    name: KERNEL,
    inputsToSave: ['x', 'gamma'],
    outputsToSave: [true, false, false, true, true, true],
    forward: (inputs, options) => tf.tidy(() => forward(inputs, options, given)),
    gradient: ([dy], [x, gamma, y, mean, variance, count], { epsilon, activation }) => {
      const [dx, dGamma, dBeta] = tf.tidy(() => {
        const inner = isLinear(activation)
          ? (dy as tf.Tensor)
          : activationGradient(dy as tf.Tensor, y as tf.Tensor, activation);
        const workspace = tf.scalar(0);
        const saved = [x, gamma, mean, variance, workspace] as tf.Tensor[];
        const own = given.gradients(inner, saved, epsilon);
        const [ofBeta, ofGamma] = sumOver()([own.beta(), own.gamma()]) as [tf.Tensor, tf.Tensor];
        const inverse = tf.rsqrt(tf.add(variance as tf.Tensor, epsilon));
        const scale = tf.div(tf.mul(gamma as tf.Tensor, inverse), count as tf.Tensor);
        const distance = tf.sub(x as tf.Tensor, mean as tf.Tensor);
        const throughMoments = tf.add(
          tf.mul(scale, ofBeta),
          tf.mul(distance, tf.mul(tf.mul(scale, inverse), ofGamma)),
        );
        return [tf.sub(own.x(), throughMoments), own.gamma(), own.beta()];
      });
      return {
        x: () => dx as tf.Tensor,
        gamma: () => dGamma as tf.Tensor,
        beta: () => dBeta as tf.Tensor,
      };
    },
  });
}

function forward(
  { x, gamma, beta }: Readonly<Record<string, tf.Tensor>>,
  { epsilon, momentum, mean: kept, variance: keptVariance, activation }: Options,
  given: GivenStatistics,
): tf.Tensor[] {
  const input = x as tf.Tensor;
  const sum = sumOver();
  const [total, count] = sum([overRows(input), tf.scalar(rowsOf(input))]) as [tf.Tensor, tf.Tensor];
  const mean = tf.div(total, count);
  const [squares] = sum([overRows(tf.squaredDifference(input, mean))]) as [tf.Tensor];
  const variance = tf.div(squares, count);
  const inputs = { x: input, gamma, beta, mean, variance } as Readonly<Record<string, tf.Tensor>>;
  const y = given.forward(inputs, epsilon, activation);
  // As PyTorch moves them.
  const unbiased = tf.div(squares, tf.maximum(tf.sub(count, 1), 1));
  const moved = (before: tf.Tensor, now: tf.Tensor): tf.Tensor =>
    tf.add(tf.mul(before, 1 - momentum), tf.mul(now, momentum));
  return [y, moved(kept, mean), moved(keptVariance, unbiased), mean, variance, count];
}

/** Batch normalization by the statistics of all processes in a `withSharedStatistics`. */
export function synchronizedBatchNorm(
  inputs: BatchNormInputs,
  attributes: BatchNormAttributes,
  activation: Activation,
): BatchNormResult {
  const [y, mean, variance, ...rest] = runKernel<tf.Tensor[]>(
    KERNEL,
    { ...inputs },
    { ...attributes, activation },
  ) as [tf.Tensor, tf.Tensor, tf.Tensor, ...tf.Tensor[]];
  disposeSaved(rest);
  return { y, mean, variance };
}

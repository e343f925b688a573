import type * as tf from '@tensorflow/tfjs-core';

/** Sums tensors over the processes that share a batch, in the same order in all of them. */
export type SumOverProcesses = (tensors: readonly tf.Tensor[]) => readonly tf.Tensor[];

// The scope lives in the process, not in this module: a model may have been accelerated by another copy of it.
const SCOPE = Symbol.for('@g2d/shared-statistics-scope');
const shared = globalThis as { [SCOPE]?: SumOverProcesses | undefined };

/**
 * Runs passes of accelerated models, and their gradients, whose batch normalization has the statistics of all processes together in training mode,
 * on the `tensorflow` backend. All processes make the same passes. Layers of models that were not accelerated have their own process'.
 *
 * @param body Not asynchronous.
 * @returns What `body` returns.
 * @example
 * withSharedStatistics((tensors) => allReduce.sumTensors(tensors), () => tf.variableGrads(loss));
 */
export function withSharedStatistics<T>(sum: SumOverProcesses, body: () => T): T {
  const outer = shared[SCOPE];
  shared[SCOPE] = sum;
  try {
    return body();
  } finally {
    shared[SCOPE] = outer;
  }
}

/** The sum of the scope that runs, `undefined` outside of one. */
export const sharedStatistics = (): SumOverProcesses | undefined => shared[SCOPE];

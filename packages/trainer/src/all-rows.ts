import * as tf from '@tensorflow/tfjs-core';
import type { AllReduce } from '@g2d/core';
import { sumTensors } from './reduce.js';

/**
 * The rows of all processes that share a batch, in the batch's order. A loss of them is the same in every process, and the gradients of the
 * processes' own rows are scaled so that their mean over the processes is the gradient of that loss.
 *
 * @param values `[n, …]`, as many rows in every process; of processes with batches of their own they come back as they are.
 */
export function allRows<T extends tf.Tensor>(all: AllReduce, values: T): T {
  const { processes, rank } = all;
  if (processes === 1 || rank === undefined) return values;
  const [rows = 0] = values.shape;
  const before = rank * rows;
  const join = tf.customGrad((x) => {
    const own = x as tf.Tensor;
    const rest = own.shape.slice(1).map((): [number, number] => [0, 0]);
    const padded = tf.pad(own, [[before, (processes - 1) * rows - before], ...rest]);
    return {
      value: sumTensors(all, [padded])[0] as tf.Tensor,
      gradFunc: (dy: tf.Tensor) => tf.mul(tf.slice(dy, before, rows), processes),
    };
  });
  return join(values) as T;
}

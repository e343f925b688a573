import * as tf from '@tensorflow/tfjs-core';
import type { AllReduce, Model } from '@g2d/core';

// Sums and means over the processes that train one model together. In every process they are called in the same order.

/** One process has everything already. */
export const SINGLE_PROCESS: AllReduce = { processes: 1, sum: () => {} };

/** Which variables have gradients in this process: what all have to know before they add them up. */
export const reachedBy = (grads: tf.NamedTensorMap, variables: readonly tf.Variable[]): number[] =>
  variables.map(({ name }) => (grads[name] ? 1 : 0));

/**
 * The mean gradients of all processes: before any method sees them. Absent where no process' loss reaches the variable.
 *
 * @param reached The sums of `reachedBy` over the processes, where they were sent with something else.
 */
export function meanGradients(
  all: AllReduce,
  grads: tf.NamedTensorMap,
  variables: readonly tf.Variable[],
  reached: readonly number[] = summed(all, reachedBy(grads, variables)),
): tf.NamedTensorMap {
  const { processes } = all;
  if (processes === 1) return grads;
  const summands = variables.filter((_, i) => reached[i] !== 0);
  const sums = sumTensors(
    all,
    summands.map(({ name, shape }) => grads[name] ?? tf.zeros(shape)),
  );
  return Object.fromEntries(summands.map(({ name }, i) => [name, tf.div(sums[i] as tf.Tensor, processes)]));
}

/** The sum of each tensor over all processes. Call it inside a `tf.tidy`. */
export function sumTensors(all: AllReduce, tensors: readonly tf.Tensor[]): tf.Tensor[] {
  if (all.sumTensors) return all.sumTensors(tensors);
  const flat = new Float32Array(tensors.reduce((total, { size }) => total + size, 0));
  let at = 0;
  for (const tensor of tensors) {
    flat.set(tensor.dataSync<'float32'>(), at);
    at += tensor.size;
  }
  all.sum(flat);
  at = 0;
  return tensors.map(({ shape, size }) => tf.tensor(flat.subarray(at, (at += size)), shape));
}

/** The sum of each number over all processes. */
export function summed({ processes, sum }: AllReduce, numbers: readonly number[]): number[] {
  const values = Float64Array.from(numbers);
  if (processes > 1) sum(values);
  return [...values];
}

/** What each process gives, in their order. */
export function gatherBytes({ processes, rank = 0, sum }: AllReduce, own: Uint8Array): Uint8Array[] {
  const lengths = new Float64Array(processes);
  lengths[rank] = own.length;
  sum(lengths);
  // Two bytes are a whole number that float32 holds exactly, and everybody else adds 0.
  const places = [...lengths].map((length) => Math.ceil(length / 2));
  const starts = places.map((_, i) => places.slice(0, i).reduce((total, count) => total + count, 0));
  const all = new Float32Array(places.reduce((total, count) => total + count, 0));
  const start = starts[rank] as number;
  own.forEach((byte, i) => {
    const place = start + (i >> 1);
    all[place] = (all[place] as number) + (i & 1 ? 256 * byte : byte);
  });
  if (all.length > 0) sum(all);
  return [...lengths].map((length, i) =>
    Uint8Array.from({ length }, (_, j) => {
      const pair = all[(starts[i] as number) + (j >> 1)] as number;
      return j & 1 ? pair >> 8 : pair & 255;
    }),
  );
}

/** Gives every process the mean of all running statistics, which each has moved by batches of its own. */
export function averageStatistics<M extends string>(all: AllReduce, model: Model<M>): void {
  if (all.processes === 1) return;
  const trained = new Set(model.parameters.map(({ name }) => name));
  const statistics = [...model.state()].filter(([name]) => !trained.has(name)).map(([, weight]) => weight);
  if (statistics.length === 0) return;
  tf.tidy(() => {
    const sums = sumTensors(
      all,
      statistics.map((weight) => weight.read()),
    );
    statistics.forEach((weight, i) => weight.write(tf.div(sums[i] as tf.Tensor, all.processes)));
  });
}

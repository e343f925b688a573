import * as tf from '@tensorflow/tfjs-core';
import type { AllReduce, Model } from '@g2d/core';
import type { ScoreSum } from './scores.js';

// Sums and means over the processes that train one model together. In every process they are called in the same order.

/** One process has everything already. */
export const SINGLE_PROCESS: AllReduce = { processes: 1, sum: () => {} };

/** The mean gradients of all processes: before any method sees them. Absent where no process' loss reaches the variable. */
export function meanGradients(
  { processes, sum }: AllReduce,
  grads: tf.NamedTensorMap,
  variables: readonly tf.Variable[],
): tf.NamedTensorMap {
  if (processes === 1) return grads;
  // One vector: the gradients, and for each variable whether any process reaches it.
  const total = variables.reduce((all, { size }) => all + size, 0);
  const flat = new Float32Array(total + variables.length);
  let at = 0;
  variables.forEach(({ name, size }, i) => {
    const gradient = grads[name];
    if (gradient) flat.set(gradient.dataSync<'float32'>(), at);
    flat[total + i] = gradient ? 1 : 0;
    at += size;
  });
  sum(flat);
  at = 0;
  return Object.fromEntries(
    variables.flatMap(({ name, shape, size }, i) => {
      const values = flat.subarray(at, (at += size)).map((value) => value / processes);
      return flat[total + i] === 0 ? [] : [[name, tf.tensor(values, shape)]];
    }),
  );
}

/** The mean of each number over all processes. */
export function meanNumbers(
  { processes, sum }: AllReduce,
  numbers: Readonly<Record<string, number>>,
): Record<string, number> {
  if (processes === 1) return { ...numbers };
  const values = Float64Array.from(Object.values(numbers));
  sum(values);
  return Object.fromEntries(Object.keys(numbers).map((name, i) => [name, (values[i] as number) / processes]));
}

/** The sums of all processes. */
export function sumScores(
  { processes, sum }: AllReduce,
  scores: Readonly<Record<string, ScoreSum>>,
): Record<string, ScoreSum> {
  if (processes === 1) return { ...scores };
  const values = Float64Array.from(Object.values(scores).flatMap((score) => [score.sum, score.samples]));
  sum(values);
  return Object.fromEntries(
    Object.keys(scores).map((name, i) => [
      name,
      { sum: values[2 * i] as number, samples: values[2 * i + 1] as number },
    ]),
  );
}

/** Gives every process the mean of all running statistics, which each has moved by batches of its own. */
export function averageStatistics<M extends string>({ processes, sum }: AllReduce, model: Model<M>): void {
  if (processes === 1) return;
  const trained = new Set(model.parameters.map(({ name }) => name));
  const statistics = [...model.state()].filter(([name]) => !trained.has(name)).map(([, weight]) => weight);
  tf.tidy(() => {
    const read = statistics.map((weight) => weight.read());
    const flat = new Float32Array(read.reduce((total, { size }) => total + size, 0));
    let at = 0;
    for (const tensor of read) {
      flat.set(tensor.dataSync<'float32'>(), at);
      at += tensor.size;
    }
    sum(flat);
    at = 0;
    statistics.forEach((weight, i) => {
      const { shape, size } = read[i] as tf.Tensor;
      weight.write(
        tf.tensor(
          flat.subarray(at, (at += size)).map((value) => value / processes),
          shape,
        ),
      );
    });
  });
}

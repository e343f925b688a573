import * as tf from '@tensorflow/tfjs-core';
import type { AllReduce } from '@g2d/core';
import { peerLost } from './peer-lost.js';
import type { Sent } from './processes.js';
import type { Watchdog } from './watchdog.js';

/** Adds up each of some tensors over all processes, which call it with the same shapes in the same order. */
export type Adder = (tensors: readonly tf.Tensor[]) => tf.Tensor[];

/** Sums over processes, and which of them this one is. */
export type Sums = Required<AllReduce> & {
  /** What was added up so far. */
  readonly sent: () => Sent;
};

/**
 * Sums over the processes at these addresses.
 *
 * @param adder Which way they add up just now.
 */
export function sumsBy(
  adder: () => Adder,
  {
    addresses,
    rank,
    watchdog,
  }: { readonly addresses: readonly string[]; readonly rank: number; readonly watchdog: Watchdog },
): Sums {
  let sums = 0;
  let bytes = 0;
  const add: Adder = (tensors) => {
    sums++;
    for (const { size } of tensors) bytes += 4 * size;
    try {
      return watchdog.watch(() => adder()(tensors));
    } catch (error) {
      throw peerLost(error, addresses, rank);
    }
  };
  const sum32 = (values: Float32Array): Float32Array => {
    // Not through the result of `tidy`, which would look at every number of the array.
    let added = values;
    tf.tidy(() => {
      const [sum] = add([tf.tensor1d(values)]) as [tf.Tensor];
      added = sum.dataSync<'float32'>();
    });
    return added;
  };
  return {
    processes: addresses.length,
    rank,
    sent: () => ({ sums, bytes }),
    sum(values) {
      if (values.length === 0) return;
      if (values instanceof Float32Array) {
        values.set(sum32(values));
        return;
      }
      // TensorFlow.js has no tensors of float64: two of float32 hold 48 bits of each.
      const both = new Float32Array(2 * values.length);
      values.forEach((value, i) => {
        const high = Math.fround(value);
        both[i] = high;
        both[values.length + i] = Number.isFinite(high) ? value - high : 0;
      });
      const added = sum32(both);
      for (let i = 0; i < values.length; i++)
        values[i] = (added[i] as number) + (added[values.length + i] as number);
    },
    sumTensors: add,
  };
}

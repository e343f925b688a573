import * as tf from '@tensorflow/tfjs-core';
import type { AllReduce } from '@g2d/core';
import { attribute, execute, tensorflow } from '@g2d/tensor-ops/tensorflow';
import { peerLost } from './peer-lost.js';
import type { Sent } from './processes.js';
import type { Watchdog } from './watchdog.js';

/** How many numbers TensorFlow sends at a time: ten megabytes. One piece of ninety takes twice as long as nine of ten. */
const PIECE = 2_500_000;

/** For the first sum alone: TensorFlow keeps a thread for each that has a limit, until it is reached. */
const FIRST_SECONDS = 60;

/** Sums over processes, and which of them this one is. */
export type Sums = Required<AllReduce> & {
  /** What was added up so far. */
  readonly sent: () => Sent;
};

/**
 * Sums over the processes by TensorFlow's collectives, in the context of the `tensorflow` backend, which has joined their cluster.
 *
 * @param addresses Of all processes.
 */
export function collectives(
  addresses: readonly string[],
  { rank, watchdog }: { readonly rank: number; readonly watchdog: Watchdog },
): Sums {
  const processes = addresses.length;
  // One for each sum: TensorFlow takes a second one of the same key for a part of the first.
  let key = 0;
  let bytes = 0;
  const reduce = (piece: tf.Tensor): tf.Tensor => {
    key++;
    bytes += 4 * piece.size;
    const attributes = [
      attribute.float32Type(),
      attribute.string('merge_op', 'Add'),
      attribute.string('final_op', 'Id'),
      attribute.string('communication_hint', tensorflow().isUsingGpuDevice ? 'nccl' : 'auto'),
      attribute.float('timeout_seconds', key === 1 ? FIRST_SECONDS : 0),
      attribute.integer('Nordering_token', 0),
      attribute.integer('max_subdivs_per_device', 8),
    ];
    const numbers = [processes, 1, key].map((value) => tf.scalar(value, 'int32'));
    try {
      return watchdog.watch(() => execute('CollectiveReduceV2', attributes, [piece, ...numbers]));
    } catch (error) {
      throw peerLost(error, addresses, rank);
    } finally {
      tf.dispose(numbers);
    }
  };
  const sumOf = (flat: tf.Tensor1D): tf.Tensor1D => {
    if (flat.size <= PIECE) return reduce(flat) as tf.Tensor1D;
    const starts = Array.from({ length: Math.ceil(flat.size / PIECE) }, (_, i) => i * PIECE);
    return tf.concat(
      starts.map((from) => reduce(tf.slice1d(flat, from, Math.min(PIECE, flat.size - from))) as tf.Tensor1D),
    );
  };
  const sum32 = (values: Float32Array): Float32Array => {
    // Not through the result of `tidy`, which would look at every number of the array.
    let sums = values;
    tf.tidy(() => {
      sums = sumOf(tf.tensor1d(values)).dataSync<'float32'>();
    });
    return sums;
  };
  return {
    processes,
    rank,
    sent: () => ({ sums: key, bytes }),
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
      const sums = sum32(both);
      for (let i = 0; i < values.length; i++)
        values[i] = (sums[i] as number) + (sums[values.length + i] as number);
    },
    sumTensors: (tensors) =>
      groupsOf(tensors).flatMap((group) =>
        tf.tidy(() => {
          const sum = sumOf(tf.concat1d(group.map((tensor) => tf.reshape(tensor, [tensor.size]))));
          const sums = tf.split(
            sum,
            group.map(({ size }) => size),
          );
          return sums.map((each, i) => tf.reshape(each, (group[i] as tf.Tensor).shape));
        }),
      ),
  };
}

/** Tensors that follow one another, as many as are sent in one piece. A larger one is alone. */
function groupsOf(tensors: readonly tf.Tensor[]): tf.Tensor[][] {
  const groups: tf.Tensor[][] = [];
  let size = Infinity;
  for (const tensor of tensors) {
    size += tensor.size;
    if (size > PIECE) {
      groups.push([]);
      size = tensor.size;
    }
    groups.at(-1)?.push(tensor);
  }
  return groups;
}

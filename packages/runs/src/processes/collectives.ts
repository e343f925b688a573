import * as tf from '@tensorflow/tfjs-core';
import { attribute, execute, tensorflow } from '@g2d/tensor-ops/tensorflow';
import type { Adder } from './sums.js';

/** How many numbers TensorFlow sends at a time: ten megabytes. One piece of ninety takes twice as long as nine of ten. */
const PIECE = 2_500_000;

/** For the first sum alone: TensorFlow keeps a thread for each that has a limit, until it is reached. */
const FIRST_SECONDS = 60;

/**
 * Adds up by TensorFlow's collectives, in the context of the `tensorflow` backend, which has joined the cluster of so many processes: rings of gRPC
 * on processors, NCCL on GPUs.
 */
export function collectives(processes: number): Adder {
  // One for each sum: TensorFlow takes a second one of the same key for a part of the first.
  let key = 0;
  const reduce = (piece: tf.Tensor): tf.Tensor => {
    key++;
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
      return execute('CollectiveReduceV2', attributes, [piece, ...numbers]);
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
  return (tensors) =>
    groupsOf(tensors).flatMap((group) =>
      tf.tidy(() => {
        const sum = sumOf(tf.concat1d(group.map((tensor) => tf.reshape(tensor, [tensor.size]))));
        const sums = tf.split(
          sum,
          group.map(({ size }) => size),
        );
        return sums.map((each, i) => tf.reshape(each, (group[i] as tf.Tensor).shape));
      }),
    );
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

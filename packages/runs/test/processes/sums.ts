// Adds up with the other processes that were started with this one, and says what came: `sums FOLDER`.
import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import { joinProcesses, launched, type Launch } from '../../src/index.js';

const notes: string[] = [];
const launch = launched() as Launch;
const all = await joinProcesses(launch, {
  out: process.argv[2] as string,
  note: (line) => void notes.push(line),
});
const { allReduce } = all;
const { rank } = launch;
const values = Float64Array.of(rank + 1, 1e9 + 0.25 * rank, Infinity);
allReduce.sum(values);
// Of one piece, of several, of nothing, and after it.
const full = (shape: number[], value: number): tf.Tensor => tf.mul(tf.ones(shape), value);
const tensors = [
  full([2, 3], rank + 1),
  full([3, 1_000_000], 2 * rank + 1),
  tf.zeros([0, 2]),
  tf.scalar(rank),
];
const sums = (allReduce.sumTensors?.(tensors) ?? []).map((sum) => ({
  shape: sum.shape,
  least: sum.size === 0 ? null : tf.min(sum).dataSync()[0],
  most: sum.size === 0 ? null : tf.max(sum).dataSync()[0],
}));
// Many in a row, of sizes around a piece, one of whose processes is late.
const hash = createHash('sha256');
for (const [i, size] of [1, 262_143, 262_144, 262_145, 700_000, 3, 1_100_001].entries()) {
  if (i % 3 === rank) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  const own = Float32Array.from({ length: size }, (_, place) => Math.sin(place * (rank + 1) + i));
  const [sum] = allReduce.sumTensors?.([tf.tensor1d(own)]) ?? [];
  hash.update((sum as tf.Tensor).dataSync());
}
process.stdout.write(
  JSON.stringify({
    values: [...values].map(String),
    sums,
    hash: hash.digest('hex'),
    told: all.tell({ rank }),
    notes,
  }),
);
all.leave();
all.close();

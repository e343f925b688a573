// Adds up with the other processes that were started with this one, and says what came: `sums FOLDER`.
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
// Of one piece, of several, and after it.
const full = (shape: number[], value: number): tf.Tensor => tf.mul(tf.ones(shape), value);
const tensors = [full([2, 3], rank + 1), full([3, 1_000_000], 2 * rank + 1), tf.scalar(rank)];
const sums = (allReduce.sumTensors?.(tensors) ?? []).map((sum) => ({
  shape: sum.shape,
  least: tf.min(sum).dataSync()[0],
  most: tf.max(sum).dataSync()[0],
}));
process.stdout.write(
  JSON.stringify({ values: [...values].map(String), sums, told: all.tell({ rank }), notes }),
);
all.leave();
all.close();

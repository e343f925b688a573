import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { accelerate } from '@g2d/accelerate';
import { recordOperations, type TimedCall } from './operation-times.js';
import { workOf } from './operation-work.js';

/** What this machine's processors and memory were seen to do at most. */
export interface ProcessorLimits {
  /** Of products of matrices in float32. */
  readonly gigaflopsPerSecond: number;
  /** Read plus written, by copies on all processors at once. */
  readonly gigabytesPerSecond: number;
  /** That copied. */
  readonly threads: number;
}

const SIZE = 1024;
const PRODUCTS_MS = 500;

/** For each thread, twice: more than a processor's share of any cache. */
const COPIED_BYTES = 2 ** 25;
const ROUNDS = 20;
const ROUND_MS = 25;

/** Measures both, about half a second each. The backend is `tensorflow`. */
export async function measureLimits(): Promise<ProcessorLimits> {
  const threads = availableParallelism();
  return {
    gigaflopsPerSecond: fastestProduct(),
    gigabytesPerSecond: await fastestCopies(threads),
    threads,
  };
}

/** Of a dense layer as everybody has it: our own product where it is installed, else TensorFlow's. */
function fastestProduct(): number {
  const dense = layers.dense({ units: SIZE, useBias: false, inputShape: [SIZE], kernelInitializer: 'ones' });
  const model = accelerate(sequential({ layers: [dense] }));
  const x = tf.ones([SIZE, SIZE]);
  const stop = recordOperations();
  let calls: readonly TimedCall[];
  try {
    const end = performance.now() + PRODUCTS_MS;
    do tf.dispose(model.apply(x) as tf.Tensor);
    while (performance.now() < end);
  } finally {
    calls = stop();
    tf.dispose(x);
    model.dispose();
  }
  return Math.max(...calls.map((call) => (2 * workOf(call).multiplyAdds) / call.ms)) / 1e6;
}

/** The sum over the threads, of the round in which it was largest: others may use the machine in some of them. */
async function fastestCopies(threads: number): Promise<number> {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const workerData = { gate, bytes: COPIED_BYTES, rounds: ROUNDS, milliseconds: ROUND_MS };
  const workers = Array.from({ length: threads }, () => new Worker(COPY, { eval: true, workerData }));
  try {
    await Promise.all(workers.map(answerOf));
    const answers = workers.map(answerOf);
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    const rates = (await Promise.all(answers)) as (readonly number[])[];
    const sums = Array.from({ length: ROUNDS }, (_, round) =>
      rates.reduce((sum, own) => sum + (own[round] as number), 0),
    );
    return Math.max(...sums) / 1e6;
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

const answerOf = (worker: Worker): Promise<unknown> =>
  new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });

// Not a file of its own, so that it is there in the sources as in the built package. Bytes a millisecond, of each round.
const COPY = `
const { parentPort, workerData: { gate, bytes, rounds, milliseconds } } = require('node:worker_threads');
const [from, to] = [1, 2].map((value) => new Float64Array(new SharedArrayBuffer(bytes)).fill(value));
parentPort.postMessage('ready');
Atomics.wait(gate, 0, 0);
parentPort.postMessage(Array.from({ length: rounds }, () => {
  const started = performance.now();
  for (let copied = 2 * bytes; ; copied += 2 * bytes) {
    to.set(from);
    const passed = performance.now() - started;
    if (passed >= milliseconds) return copied / passed;
  }
}));
`;

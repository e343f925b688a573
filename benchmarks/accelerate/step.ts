// One program of the benchmark, in a process of its own: trains one model, plain or accelerated, and prints JSON.
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { accelerate } from '@g2d/accelerate';
import { loadTensorFlow } from '@g2d/native';
import { median } from '../shared/median.js';
import { architectures, type Architecture } from './architectures.js';

const { values } = parseArgs({
  options: {
    architecture: { type: 'string', default: '' },
    accelerated: { type: 'boolean', default: false },
    steps: { type: 'string', default: '' },
    warmup: { type: 'string', default: '' },
    seconds: { type: 'string', default: '' },
  },
});
// Without TensorFlow's library the comparison would be one of something else.
await loadTensorFlow({ backend: 'tensorflow', quiet: true });

const { shape, batch, build } = architectures[values.architecture] as Architecture;
const model = await build();
// All that differs.
if (values.accelerated) accelerate(model);

const x = tf.randomNormal([batch, ...shape], 0, 1, 'float32', 1);
const labels = tf.oneHot(
  tf.tensor1d(
    Array.from({ length: batch }, (_, i) => i % 10),
    'int32',
  ),
  10,
);
const optimizer = tf.train.momentum(1e-3, 0.9);
function timeStep(): number {
  const started = performance.now();
  const loss = optimizer.minimize(
    () => tf.losses.softmaxCrossEntropy(labels, model.apply(x, { training: true }) as tf.Tensor),
    true,
  ) as tf.Scalar;
  // The value is there only when everything before it has been computed.
  loss.dataSync();
  loss.dispose();
  return performance.now() - started;
}

for (let step = 0; step < Number(values.warmup); step++) timeStep();
const milliseconds: number[] = [];
let total = 0;
// Short steps are timed more often: an interruption would weigh as much as they do.
while (milliseconds.length < Number(values.steps) || total < Number(values.seconds) * 1000) {
  const time = timeStep();
  milliseconds.push(time);
  total += time;
}
const fastestMs = Math.min(...milliseconds);
console.log(
  JSON.stringify({ ms: median(milliseconds), fastestMs, peakRssMB: process.resourceUsage().maxRSS / 1024 }),
);

// SMP in `fit`, in JavaScript, with layers that have no names of their own, no teachers, and early stopping in the same list.
import * as tf from '@tensorflow/tfjs';
import { byLayers, PrioritizedOptimizer, SequentialModalityPrioritization } from '@g2d/smp';

await tf.setBackend('cpu');

const CLASSES = 3;
const labels = Array.from({ length: 24 }, (_, i) => i % CLASSES);
const oneHot = tf.oneHot(tf.tensor1d(labels, 'int32'), CLASSES).toFloat();
const noisy = (noise, seed) => oneHot.add(tf.randomNormal(oneHot.shape, 0, noise, 'float32', seed));

const dense = (units, seed, activation) =>
  tf.layers.dense({
    units,
    activation,
    inputShape: [CLASSES],
    kernelInitializer: tf.initializers.randomNormal({ stddev: 0.5, seed }),
  });
const audioEncoder = tf.sequential({ layers: [dense(8, 1, 'relu')] });
const videoEncoder = tf.sequential({ layers: [dense(8, 2, 'relu')] });
const inputs = [tf.input({ shape: [CLASSES] }), tf.input({ shape: [CLASSES] })];
const features = [audioEncoder.apply(inputs[0]), videoEncoder.apply(inputs[1])];
const outputs = tf.layers
  .dense({ units: CLASSES, activation: 'softmax', kernelInitializer: tf.initializers.zeros() })
  .apply(tf.layers.concatenate().apply(features));
const model = tf.model({ inputs, outputs });

const smp = new SequentialModalityPrioritization({
  modalityOf: byLayers({ audio: audioEncoder, video: videoEncoder }), // every other layer is shared
  phaseEpochs: [2, 2],
  ranking: { fixed: ['video', 'audio'] }, // you know that the video is the weak one
});
model.compile({
  optimizer: new PrioritizedOptimizer(tf.train.momentum(0.2, 0.9), smp),
  loss: 'categoricalCrossentropy',
});
await model.fit([noisy(0.1, 4), noisy(0.5, 5)], oneHot, {
  epochs: 4,
  batchSize: 8,
  shuffle: false,
  verbose: 0,
  callbacks: [
    new tf.CustomCallback({
      onEpochBegin: async (epoch) => smp.update({ epoch: epoch + 1 }), // TensorFlow.js counts from 0
      onEpochEnd: async (epoch, logs) =>
        console.log(
          `epoch ${epoch + 1}: κ ${JSON.stringify(smp.coefficients)}, loss ${logs.loss.toFixed(3)}`,
        ),
    }),
    tf.callbacks.earlyStopping({ monitor: 'loss', patience: 2 }),
  ],
});

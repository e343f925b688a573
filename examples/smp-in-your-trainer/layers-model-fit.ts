// SMP in `compile` and `fit`: the optimizer is wrapped, a callback says which epoch it is.
import * as tf from '@tensorflow/tfjs';
import {
  byPrefix,
  modalityConfidence,
  PrioritizedOptimizer,
  SequentialModalityPrioritization,
} from '@g2d/smp';
import { data, show, student, trainableVariables } from './toy.js';

const model = student();
const { audio, video, labels, oneHot, teacherLogits } = data;

// `fit` does not hand out its batches, so the teachers rank once, over the training set.
const rho = (logits: tf.Tensor2D) => modalityConfidence(labels, logits).dataSync()[0] as number;
const smp = new SequentialModalityPrioritization({
  modalityOf: byPrefix({ audio: 'audio/', video: 'video/' }),
  phaseEpochs: [2, 2],
  ranking: { dataset: { audio: rho(teacherLogits.audio), video: rho(teacherLogits.video) } },
  variables: trainableVariables(model),
});

model.compile({
  optimizer: new PrioritizedOptimizer(tf.train.momentum(0.2, 0.9), smp),
  loss: 'categoricalCrossentropy',
});
await model.fit([audio, video], oneHot, {
  epochs: 4,
  batchSize: 8,
  shuffle: false,
  verbose: 0,
  callbacks: {
    onEpochBegin: async (epoch) => smp.update({ epoch: epoch + 1 }), // TensorFlow.js counts from 0
    onEpochEnd: async (epoch, logs) => show(epoch + 1, smp.coefficients, logs?.['loss'] as number),
  },
});

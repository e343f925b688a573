// SMP with `optimizer.minimize` and variables of your own, without layers.
import * as tf from '@tensorflow/tfjs';
import {
  byPrefix,
  modalityConfidence,
  PrioritizedOptimizer,
  SequentialModalityPrioritization,
} from '@g2d/smp';
import { CLASSES, data, show } from './toy.js';

const { audio, video, labels, oneHot, teacherLogits } = data;
const kernel = (name: string): tf.Variable<tf.Rank.R2> =>
  tf.variable(tf.zeros([CLASSES, CLASSES]), true, name);
const [audioKernel, videoKernel] = [kernel('audio/kernel'), kernel('video/kernel')];
const loss = () => {
  const logits = tf.add(tf.matMul(audio, audioKernel), tf.matMul(video, videoKernel));
  return tf.losses.softmaxCrossEntropy(oneHot, logits) as tf.Scalar;
};

const smp = new SequentialModalityPrioritization({
  modalityOf: byPrefix({ audio: 'audio/', video: 'video/' }),
  phaseEpochs: [2, 2],
  variables: [audioKernel, videoKernel],
});
const optimizer = new PrioritizedOptimizer(tf.train.adam(0.1), smp);

const rho = (logits: tf.Tensor2D) => modalityConfidence(labels, logits).dataSync()[0] as number;
for (let epoch = 1; epoch <= 4; epoch++) {
  smp.update({ epoch, confidence: { audio: rho(teacherLogits.audio), video: rho(teacherLogits.video) } });
  const value = optimizer.minimize(loss, true) as tf.Scalar;
  show(epoch, smp.coefficients, value.dataSync()[0] as number);
}

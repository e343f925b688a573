// SMP in a loop of your own: rank on each batch, differentiate what is active, modulate, step.
import * as tf from '@tensorflow/tfjs';
import { byPrefix, modalityConfidence, SequentialModalityPrioritization } from '@g2d/smp';
import { batches, show, student, trainableVariables } from './toy.js';

const model = student();
const variables = trainableVariables(model);
const optimizer = tf.train.momentum(0.2, 0.9);

const smp = new SequentialModalityPrioritization({
  modalityOf: byPrefix({ audio: 'audio/', video: 'video/' }), // every other variable is shared
  phaseEpochs: [2, 2], // τ_1: one modality alone, τ_2: both
  variables,
});

for (let epoch = 1; epoch <= 4; epoch++) {
  let loss = 0;
  for (const { audio, video, labels, oneHot, teacherLogits } of batches()) {
    tf.tidy(() => {
      const rho = (logits: tf.Tensor2D) => modalityConfidence(labels, logits).dataSync()[0] as number;
      smp.update({ epoch, confidence: { audio: rho(teacherLogits.audio), video: rho(teacherLogits.video) } });
      const { value, grads } = tf.variableGrads(() => {
        const output = model.apply([audio, video], { training: true }) as tf.Tensor2D;
        return tf.mean(tf.metrics.categoricalCrossentropy(oneHot, output)) as tf.Scalar;
      }, smp.activeVariables(variables));
      optimizer.applyGradients(smp.modulate(grads, variables));
      loss = value.dataSync()[0] as number;
    });
  }
  show(epoch, smp.coefficients, loss);
}

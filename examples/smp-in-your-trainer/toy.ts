// What you have already: data, a model, teachers. Synthetic: a clear audio and a noisy video of three classes.
import * as tf from '@tensorflow/tfjs';

await tf.setBackend('cpu');

const SAMPLES = 24;
export const CLASSES = 3;

/** Names of layers begin with the modality; the head is shared. */
export function student(): tf.LayersModel {
  const audio = tf.input({ shape: [CLASSES] });
  const video = tf.input({ shape: [CLASSES] });
  const dense = (name: string, units: number, seed: number, activation: 'relu' | 'softmax') => {
    const kernelInitializer = tf.initializers.randomNormal({ stddev: 0.5, seed });
    return tf.layers.dense({ name, units, activation, kernelInitializer });
  };
  const features = [
    dense('audio/dense', 8, 1, 'relu').apply(audio) as tf.SymbolicTensor,
    dense('video/dense', 8, 2, 'relu').apply(video) as tf.SymbolicTensor,
  ];
  const both = tf.layers.concatenate().apply(features);
  const outputs = dense('head/dense', CLASSES, 3, 'softmax').apply(both) as tf.SymbolicTensor;
  return tf.model({ inputs: [audio, video], outputs });
}

export const trainableVariables = (model: tf.LayersModel): tf.Variable[] =>
  model.trainableWeights.map((weight) => weight.read() as tf.Variable);

const labels = tf.tensor1d(
  Array.from({ length: SAMPLES }, (_, i) => i % CLASSES),
  'int32',
);
const oneHot = tf.cast(tf.oneHot(labels, CLASSES), 'float32') as tf.Tensor2D;
const noisy = (noise: number, seed: number): tf.Tensor2D =>
  tf.add(oneHot, tf.randomNormal([SAMPLES, CLASSES], 0, noise, 'float32', seed));

/** The training set in one batch. `teacherLogits` are what a frozen teacher of each modality says of it. */
export const data = {
  audio: noisy(0.1, 4),
  video: noisy(0.5, 5),
  labels,
  oneHot,
  teacherLogits: { audio: tf.mul(oneHot, 4) as tf.Tensor2D, video: tf.sub(oneHot, 0.5) as tf.Tensor2D },
};

/** The same in batches of 8. */
export function* batches(): Generator<typeof data> {
  for (let start = 0; start < SAMPLES; start += 8) {
    const rows = <T extends tf.Tensor>(tensor: T): T => tf.slice(tensor, start, 8);
    yield {
      audio: rows(data.audio),
      video: rows(data.video),
      labels: rows(data.labels),
      oneHot: rows(data.oneHot),
      teacherLogits: { audio: rows(data.teacherLogits.audio), video: rows(data.teacherLogits.video) },
    };
  }
}

export const show = (epoch: number, coefficients: object, loss: number): void =>
  console.log(`epoch ${epoch}: κ ${JSON.stringify(coefficients)}, loss ${loss.toFixed(3)}`);

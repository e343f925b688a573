import * as tf from '@tensorflow/tfjs-core';
import type { EncoderCase } from './case.js';
import type { Results } from './compare.js';
import type { EncoderPool } from './encoder-pool.js';
import { inputTensor } from './inputs.js';
import { dot, norm, projection } from './numbers.js';
import type { Rows, Value } from './read-expected.js';
import { tensorValues } from './recipe.js';
import { FEATURES, isRunningStatistic } from './torch-tensors.js';
import { toTorch, TorchWeights } from './weights.js';

/** An inference pass, a training pass with gradients, and inference with the statistics that it left. */
export function runEncoder(
  { seed, modality, batch, batchTag, input, model }: EncoderCase,
  pool: EncoderPool,
): Results {
  const results = new Map<string, Value | Rows>();
  const encoder = pool.take(modality, input);
  const weights = new TorchWeights(
    model,
    new Map(encoder.weights.map((weight) => [weight.originalName, weight])),
    { net: modality },
  );
  weights.initialize(seed);
  const project = (values: ArrayLike<number>, name: string): number =>
    projection(values, { seed, name: `${model.prefix}/${name}` });

  const direction = tensorValues({ seed, name: 'proj/features' }, FEATURES);
  const record = (pass: string, features: tf.Tensor): void => {
    const values = features.dataSync();
    const samples = Array.from({ length: batch }, (_, i) =>
      values.subarray(i * FEATURES, (i + 1) * FEATURES),
    );
    results.set(
      `${pass}.first8`,
      samples.map((sample) => [...sample.subarray(0, 8)]),
    );
    results.set(`${pass}.l2`, samples.map(norm));
    results.set(
      `${pass}.proj`,
      samples.map((sample) => dot(sample, direction)),
    );
  };

  tf.tidy(() => {
    const x = inputTensor(input, { seed, batchTag, modality });
    const encode = (training: boolean): tf.Tensor => encoder.apply(x, { training }) as tf.Tensor;
    record('evalBefore', encode(false));
    const objective = tf.tensor2d(tensorValues({ seed, name: 'objective/r' }, batch * FEATURES), [
      batch,
      FEATURES,
    ]);
    const variables = encoder.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const { value, grads } = tf.variableGrads(() => {
      const features = encode(true);
      record('train', features);
      return tf.sum(tf.mul(features, objective));
    }, variables);
    results.set('train.objective', value.dataSync()[0] as number);

    const [buffers, gradients] = [new Map<string, number[]>(), new Map<string, number[]>()];
    for (const { name } of model.tensors) {
      if (isRunningStatistic(name)) {
        const values = weights.values(name);
        buffers.set(name, [norm(values), project(values, name)]);
      } else {
        const values = toTorch(grads[weights.variableOf(name)] as tf.Tensor);
        gradients.set(name, [norm(values), ...values.subarray(0, 3), project(values, name)]);
      }
    }
    results.set('buffers', buffers);
    results.set('gradients', gradients);
    record('evalAfter', encode(false));
  });
  pool.release(encoder);
  return results;
}

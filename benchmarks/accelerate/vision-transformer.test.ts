import * as tf from '@tensorflow/tfjs';
import { accelerate } from '@g2d/accelerate';
import { loadTensorFlow } from '@g2d/native';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, expect, it } from 'vitest';
import { visionTransformer } from './vision-transformer.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

it('comes to the same outputs and gradients accelerated, also where layers are somebody else’s', () => {
  const model = visionTransformer([16, 16, 3], { patch: 8, width: 24, depth: 2, heads: 3, classes: 5 });
  const x = tf.randomNormal([3, 16, 16, 3], 0, 1, 'float32', 1);
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const gradients = (): tf.Tensor[] => {
    const { value, grads } = tf.variableGrads(
      () => tf.mean(tf.square(model.apply(x, { training: true }) as tf.Tensor)),
      variables,
    );
    return [value, ...variables.map(({ name }) => grads[name] as tf.Tensor)];
  };
  const plain = gradients();
  accelerate(model);
  const fast = gradients();
  expect(fast).toHaveLength(plain.length);
  fast.forEach((actual, i) => {
    const wanted = plain[i] as tf.Tensor;
    const largest = tf.max(tf.abs(wanted)).dataSync()[0] as number;
    expectTensorClose(actual, wanted, { atol: 1e-6 + 1e-5 * largest });
  });
});

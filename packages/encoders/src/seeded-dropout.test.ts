import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { withDropoutSeed } from '@g2d/accelerate';
import { randomStream } from '@g2d/tensor-ops';
import { beforeAll, describe, expect, it } from 'vitest';
import { mlp } from './mlp.js';
import { tabularMlp } from './tabular-mlp.js';
import { transformer } from './transformer.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'cpu', quiet: true });
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

const normal = (...shape: number[]) => {
  const random = randomStream(3);
  const size = shape.reduce((product, axis) => product * axis, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, () => random.normal()),
    shape,
  );
};

const sizes = { layers: 2, heads: 4, width: 16, feedForward: 24, dropout: 0.3 };
const encoders = {
  transformer: () => ({
    model: transformer({ name: 'text', inputShape: [7, 5], seed: 0, ...sizes }),
    inputs: [normal(3, 7, 5)],
  }),
  'transformer with a padding mask': () => ({
    model: transformer({ name: 'text', inputShape: [null, 5], seed: 0, paddingMask: true, ...sizes }),
    inputs: [normal(2, 4, 5), tf.tensor2d([1, 1, 1, 0, 1, 1, 0, 0], [2, 4])],
  }),
  tabularMlp: () => ({
    model: tabularMlp({ name: 'weather', inputShape: [8], seed: 0 }),
    inputs: [normal(6, 8)],
  }),
  mlp: () => ({
    model: mlp({ name: 'shape', inputShape: [8], seed: 0, hidden: [16, 12], features: 5, dropout: 0.5 }),
    inputs: [normal(6, 8)],
  }),
};

/** Features of a pass in training and the gradients of the sum of their squares. */
function pass({ model, inputs }: { model: tf.LayersModel; inputs: tf.Tensor[] }): number[][] {
  return tf.tidy(() => {
    let features: tf.Tensor | undefined;
    const { grads } = tf.variableGrads(() => {
      features = tf.keep(model.apply(inputs, { training: true }) as tf.Tensor);
      return tf.sum(tf.square(features)) as tf.Scalar;
    });
    const values = [
      features!,
      ...model.trainableWeights.map((weight) => grads[(weight.read() as tf.Variable).name]!),
    ].map((tensor) => [...tensor.dataSync()]);
    features!.dispose();
    return values;
  });
}

describe.each(Object.entries(encoders))('training %s under a dropout seed', (_, make) => {
  const run = async (backend: 'tensorflow' | 'cpu', seed: number): Promise<number[][]> => {
    await tf.setBackend(backend);
    const encoder = make();
    return withDropoutSeed(seed, () => pass(encoder));
  };

  it('repeats itself bit by bit, in another model of the same names too', async () => {
    expect(await run('tensorflow', 1)).toEqual(await run('tensorflow', 1));
    expect((await run('tensorflow', 2))[0]).not.toEqual((await run('tensorflow', 1))[0]);
  });

  it('drops the same on fast kernels and on plain layers', async () => {
    const [fast, plain] = [await run('tensorflow', 1), await run('cpu', 1)];
    fast.forEach((values, i) => {
      const scale = Math.max(1, ...values.map(Math.abs));
      values.forEach((value, j) => expect(Math.abs(value - plain[i]![j]!)).toBeLessThan(2e-4 * scale));
    });
  });
});

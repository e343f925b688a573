import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { expected } from '../test/expected.js';
import { accelerate } from './accelerate.js';
import { freeze } from './freeze.js';
import { randomStream } from '@g2d/tensor-ops';
import { expectNoLeak, expectTensorClose } from '@g2d/tensor-ops/testing';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

const { layers } = tf;
const random = randomStream(3);
const normal = (shape: number[]) => {
  const size = shape.reduce((product, axis) => product * axis, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, () => random.normal()),
    shape,
  );
};

/** Convolutions with and without bias and padding, a residual, pooling, and batch normalization without scale. */
function network(): tf.LayersModel {
  const inputs = tf.input({ shape: [9, 8, 2] });
  const apply = (layer: tf.layers.Layer, x: tf.SymbolicTensor | tf.SymbolicTensor[]) =>
    layer.apply(x) as tf.SymbolicTensor;
  const padded = apply(layers.zeroPadding2d({ padding: 1 }), inputs);
  let x = apply(layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, useBias: true }), padded);
  x = apply(layers.batchNormalization({ epsilon: 1e-5 }), x);
  const hidden = apply(layers.activation({ activation: 'relu' }), x);
  let y = apply(layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same', useBias: false }), hidden);
  y = apply(layers.batchNormalization({ epsilon: 1e-3, scale: false }), y);
  y = apply(layers.reLU(), apply(layers.add(), [y, hidden]));
  // Not folded: the value is used twice.
  const shared = apply(layers.conv2d({ filters: 3, kernelSize: 1, activation: 'relu' }), y);
  const normalized = apply(layers.batchNormalization({}), shared);
  const pooled = apply(layers.maxPooling2d({ poolSize: 2, strides: 2 }), normalized);
  const output = apply(layers.dense({ units: 3 }), apply(layers.flatten(), pooled));
  const model = tf.model({ inputs, outputs: [output, shared] });
  for (const weight of model.weights) {
    const values = normal(weight.shape as number[]);
    const positive = /variance|gamma/.test(weight.originalName);
    weight.write(positive ? tf.add(tf.abs(values), 0.5) : values);
  }
  return model;
}

/** What bfloat16 rounds: convolutions where TensorFlow's are used, and products of many numbers, convolutions of one tap among them. Elsewhere it is refused: bfloat16-problem.test.ts. */
const rounded: [string, () => tf.LayersModel, number[], () => boolean][] = [
  [
    'in convolutions',
    () => network(),
    [4, 9, 8, 2],
    () => expected.oneDnnBfloat16() && !expected.ownBfloat16(),
  ],
  [
    'in products',
    () =>
      tf.sequential({
        layers: [
          tf.layers.dense({ units: 1024, activation: 'relu', inputShape: [64] }),
          tf.layers.dense({ units: 8 }),
        ],
      }),
    [64, 64],
    () => expected.bfloat16(),
  ],
];

describe('freeze', () => {
  it('gives what the model gives in inference mode, in float32', () => {
    const model = network();
    const x = normal([3, 9, 8, 2]);
    const wanted = model.predict(x) as tf.Tensor[];
    const frozen = freeze(model);
    frozen.predict([x]).forEach((actual, i) => {
      const scale = tf.max(tf.abs(wanted[i]!)).dataSync()[0]!;
      expectTensorClose(actual, wanted[i]!, { atol: 2e-6 * scale });
    });
    frozen.dispose();
  });

  it.each(rounded)('gives it to about a hundredth in bfloat16, %s', (_, make, shape, isRounded) => {
    if (!isRounded()) return;
    const model = make();
    const x = normal(shape);
    const wanted = [model.predict(x)].flat();
    const frozen = freeze(model, { precision: 'bfloat16' });
    const actual = frozen.predict([x]);
    actual.forEach((tensor, i) => {
      const scale = tf.max(tf.abs(wanted[i]!)).dataSync()[0]!;
      expectTensorClose(tensor, wanted[i]!, { atol: 3e-2 * scale });
    });
    // It was really rounded.
    const [difference, scale] = [tf.sub(actual[0]!, wanted[0]!), wanted[0]!].map(
      (x) => tf.max(tf.abs(x)).dataSync()[0]!,
    ) as [number, number];
    expect(difference / scale).toBeGreaterThan(1e-4);
    frozen.dispose();
  });

  it('keeps the weights of the moment, and frees them', () => {
    const model = network();
    const x = normal([1, 9, 8, 2]);
    const before = tf.memory().numTensors;
    const frozen = freeze(model);
    const [, first] = frozen.predict([x]) as [tf.Tensor, tf.Tensor];
    tf.tidy(() => {
      // All of the second output is convolutions and what is folded into them.
      for (const weight of model.weights) weight.write(tf.zerosLike(weight.read()));
    });
    expectTensorClose(frozen.predict([x])[1]!, first, {});
    expectNoLeak(() => frozen.predict([x]));
    frozen.dispose();
    // Two calls' outputs.
    expect(tf.memory().numTensors - before).toBe(4);
  });

  it('works on backends without the kernels', async () => {
    const model = network();
    const x = normal([2, 9, 8, 2]);
    const wanted = (model.predict(x) as tf.Tensor[]).map((tensor) => tensor.arraySync());
    await tf.setBackend('cpu');
    const frozen = freeze(model);
    const actual = frozen.predict([tf.clone(x)]);
    expect(actual).toHaveLength(2);
    const difference = tf.max(tf.abs(tf.sub(actual[0]!, tf.tensor(wanted[0] as number[][]))));
    expect(difference.dataSync()[0]).toBeLessThan(1e-3);
    frozen.dispose();
    await tf.setBackend('tensorflow');
  });
});

describe('accelerate in bfloat16', () => {
  it.each(rounded)('trains with gradients that point the same way, %s', (_, make, shape, isRounded) => {
    if (!isRounded()) return;
    const x = normal(shape);
    const plain = make();
    const rough = make();
    rough.setWeights(plain.getWeights());
    const gradient = (model: tf.LayersModel) => {
      const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
      const { grads } = tf.variableGrads(() => {
        const [y] = [model.apply(x, { training: false }) as tf.Tensor].flat();
        return tf.mean(tf.square(y!)) as tf.Scalar;
      }, variables);
      return tf.concat(variables.map(({ name }) => tf.reshape(grads[name]!, [-1])));
    };
    const [exact, actual] = [
      gradient(accelerate(plain)),
      gradient(accelerate(rough, { precision: 'bfloat16' })),
    ];
    const dot = (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.mul(a, b)).dataSync()[0]!;
    const cosine = dot(exact, actual) / Math.sqrt(dot(exact, exact) * dot(actual, actual));
    expect(cosine).toBeGreaterThan(0.999);
    expect(cosine).toBeLessThan(1);
  });
});

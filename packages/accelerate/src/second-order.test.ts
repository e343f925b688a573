// Gradients of gradients, next to central differences of gradients: layers of every kind that models are made of.
import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { crossEntropy, hessianProduct, randomStream } from '@g2d/tensor-ops';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { accelerate } from './accelerate.js';

const { layers } = tf;
let random = randomStream(8);
const normal = (shape: readonly number[]): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape([...shape]) }, () => random.normal()),
    [...shape],
  );

/** All of them smooth: differences across a change of a maximum would tell nothing. */
const networks: Readonly<Record<string, () => tf.Sequential>> = {
  'rows, normalized': () =>
    tf.sequential({
      layers: [
        layers.dense({ inputShape: [4], units: 5, activation: 'tanh' }),
        layers.batchNormalization(),
        layers.dense({ units: 3 }),
      ],
    }),
  convolutions: () =>
    tf.sequential({
      layers: [
        layers.conv2d({ inputShape: [7, 6, 2], filters: 3, kernelSize: 3, strides: 2, padding: 'same' }),
        layers.activation({ activation: 'tanh' }),
        layers.conv2d({ filters: 3, kernelSize: 2 }),
        layers.globalAveragePooling2d({}),
      ],
    }),
  'a convolution and means': () =>
    tf.sequential({
      layers: [
        layers.conv2d({ inputShape: [7, 7, 2], filters: 3, kernelSize: 3, activation: 'tanh' }),
        layers.batchNormalization(),
        layers.averagePooling2d({ poolSize: 2, strides: 1 }),
        layers.flatten(),
        layers.dense({ units: 3 }),
      ],
    }),
  'steps, normalized': () =>
    tf.sequential({
      layers: [
        layers.dense({ inputShape: [4, 3], units: 4, activation: 'sigmoid' }),
        layers.layerNormalization(),
        layers.gru({ units: 3, recurrentInitializer: 'glorotNormal' }),
      ],
    }),
};

const expectDifferences = (make: () => tf.Sequential, tolerance: number): void =>
  tf.tidy(() => {
    random = randomStream(8);
    const network = make();
    const x = normal([3, ...(network.inputs[0]!.shape.slice(1) as number[])]);
    const labels = tf.tensor1d([0, 1, 2], 'int32');
    for (const weight of network.trainableWeights)
      weight.write(tf.mul(normal(weight.shape as number[]), 0.5));
    accelerate(network);
    const variables = network.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const loss = () => crossEntropy(labels, network.apply(x, { training: true }) as tf.Tensor2D);
    const direction = variables.map(({ shape }) => normal(shape));
    const before = tf.memory().numTensors;
    const exact = hessianProduct(loss, variables, direction);
    expect(tf.memory().numTensors - before).toBe(Object.values(exact).filter((product) => product).length);
    // (∇L(θ + hv) − ∇L(θ − hv)) / 2h, at h and 2h: what is left is of order h⁴.
    const step = 4e-3;
    const at = (along: number): tf.NamedTensorMap => {
      const values = variables.map((variable) => variable.clone());
      variables.forEach((variable, i) => variable.assign(tf.add(values[i]!, tf.mul(direction[i]!, along))));
      const { grads } = tf.variableGrads(loss, variables);
      variables.forEach((variable, i) => variable.assign(values[i] as never));
      return grads;
    };
    const [ahead, behind, further, back] = [at(step), at(-step), at(2 * step), at(-2 * step)];
    for (const { name } of variables) {
      const slope = (up: tf.NamedTensorMap, down: tf.NamedTensorMap, width: number): tf.Tensor =>
        tf.div(tf.sub(up[name]!, down[name]!), width);
      const difference = tf.div(
        tf.sub(tf.mul(slope(ahead, behind, 2 * step), 4), slope(further, back, 4 * step)),
        3,
      );
      const own = exact[name] ?? tf.zerosLike(difference);
      expectTensorClose(own, [...difference.dataSync()], { atol: tolerance });
    }
    expect(
      Math.max(...variables.map(({ name }) => tf.max(tf.abs(exact[name] ?? 0)).dataSync()[0]!)),
    ).toBeGreaterThan(0.1);
  });

describe.each(['cpu', 'tensorflow'])('the Hessian times a direction on %s', (backend) => {
  beforeAll(async () => {
    if (backend === 'tensorflow') await loadTensorFlow({ backend: 'tensorflow', quiet: true });
    else await tf.setBackend(backend);
  });

  it.each(Object.entries(networks))('is what the gradients change by: %s', (_, make) =>
    expectDifferences(make, 3e-3),
  );

  it.each(['valid', 'same'] as const)('goes through maxima: %s', (pad) =>
    tf.tidy(() => {
      random = randomStream(5);
      const x = tf.variable(normal([2, 5, 6, 3]));
      const direction = [normal(x.shape)];
      // The windows of 3 in steps of 2 one by one; `same` puts a column of zeros behind, and a row on both sides.
      const [top, left] = pad === 'same' ? [1, 0] : [0, 0];
      const slices = (image: tf.Tensor4D): tf.Tensor => {
        const around = tf.pad4d(
          image,
          pad === 'same'
            ? [
                [0, 0],
                [top, 1],
                [left, 1],
                [0, 0],
              ]
            : [
                [0, 0],
                [0, 0],
                [0, 0],
                [0, 0],
              ],
          -9,
        );
        const [, height, width] = around.shape;
        const rows = [];
        for (let i = 0; i + 3 <= height; i += 2)
          for (let j = 0; j + 3 <= width; j += 2)
            rows.push(tf.max(tf.slice(around, [0, i, j, 0], [-1, 3, 3, -1]), [1, 2]));
        return tf.stack(rows, 1);
      };
      const pooled = (image: tf.Tensor4D): tf.Tensor => {
        const y = tf.maxPool(image, 3, 2, pad);
        return tf.reshape(y, [2, -1, 3]);
      };
      const loss = (pool: (image: tf.Tensor4D) => tf.Tensor) => () =>
        tf.sum(tf.pow(pool(tf.tanh(x) as tf.Tensor4D), 3)) as tf.Scalar;
      const [own, expected] = [pooled, slices].map(
        (pool) => hessianProduct(loss(pool), [x], direction)[x.name]!,
      );
      expectTensorClose(own!, [...expected!.dataSync()], { atol: 1e-5 });
      expect(tf.max(tf.abs(own!)).dataSync()[0]).toBeGreaterThan(0.5);
    }),
  );

  it('is nothing of a loss that is linear, or that no variable reaches', () =>
    tf.tidy(() => {
      const [v, w] = [tf.variable(tf.ones([2])), tf.variable(tf.ones([2]))];
      const direction = [tf.ones([2]), tf.ones([2])];
      const nothing = { [v.name]: null, [w.name]: null };
      expect(hessianProduct(() => tf.sum(v) as tf.Scalar, [v, w], direction)).toEqual(nothing);
      expect(hessianProduct(() => tf.scalar(1), [v, w], direction)).toEqual(nothing);
      // Σ v³ w: 6 v w v' + 3 v² w', and 3 v² v'.
      const cubic = () => tf.sum(tf.mul(tf.pow(v, 3), w)) as tf.Scalar;
      const found = hessianProduct(cubic, [v, w], direction);
      expectTensorClose(found[v.name]!, [9, 9], { atol: 1e-5 });
      expectTensorClose(found[w.name]!, [3, 3], { atol: 1e-5 });
      const along = hessianProduct(cubic, [v, w], [null, direction[1]!]);
      expectTensorClose(along[v.name]!, [3, 3], { atol: 1e-5 });
      expect(tf.max(tf.abs(along[w.name] ?? 0)).dataSync()[0]).toBe(0);
    }));
});

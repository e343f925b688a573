import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { SGD } from '@g2d/tensor-ops';
import { accelerate } from '../../src/index.js';

/** What a few steps of training came to. */
export interface Training {
  readonly losses: number[];
  /** Largest number of tensors after a step but the first, and the smallest. */
  readonly tensors: [number, number];
  /** Whether our module runs. */
  readonly module: boolean;
}

const numbers = (size: number, scale: number): number[] =>
  Array.from({ length: size }, (_, i) => scale * Math.sin(1.7 * i + 0.3 * Math.cos(i * i)));

/** Trains a small network with everything that our module has but attention, on numbers that are always the same. */
export function train(): Training {
  const { zeroPadding2d, conv2d, batchNormalization, activation, layerNormalization } = layers.layers;
  const model = accelerate(
    layers.sequential({
      layers: [
        zeroPadding2d({ inputShape: [9, 8, 3], padding: 1 }),
        conv2d({ filters: 6, kernelSize: 3, strides: 2, useBias: false }),
        batchNormalization(),
        activation({ activation: 'relu' }),
        conv2d({ filters: 8, kernelSize: 2, activation: 'relu' }),
        layerNormalization(),
        layers.layers.flatten(),
        layers.layers.dense({ units: 4 }),
      ],
    }),
  );
  for (const weight of model.trainableWeights) {
    const shape = weight.shape as number[];
    const values = tf.tensor(numbers(tf.util.sizeFromShape(shape), 0.5), shape);
    weight.write(/gamma/.test(weight.originalName) ? tf.add(values, 1) : values);
  }
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const optimizer = new SGD(variables, { learningRate: 0.003, momentum: 0.9, weightDecay: 1e-3 });
  const x = tf.tensor(numbers(5 * 9 * 8 * 3, 1), [5, 9, 8, 3]);
  const losses: number[] = [];
  const counts: number[] = [];
  for (let step = 0; step < 8; step++) {
    tf.tidy(() => {
      const { value, grads } = tf.variableGrads(
        () => tf.mean(tf.square(tf.sub(model.apply(x, { training: true }) as tf.Tensor, 1))),
        variables,
      );
      losses.push(value.dataSync()[0] as number);
      optimizer.applyGradients(variables.map(({ name }) => ({ name, tensor: grads[name] as tf.Tensor })));
    });
    counts.push(tf.memory().numTensors);
  }
  const later = counts.slice(1);
  return {
    losses,
    tensors: [Math.max(...later), Math.min(...later)],
    module: tf.getKernel('G2dWasmBatchNorm', 'wasm') !== undefined,
  };
}

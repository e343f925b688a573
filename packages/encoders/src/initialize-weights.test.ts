import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { initializeWeights } from './initialize-weights.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const build = (...layers: tf.layers.Layer[]) => tf.sequential({ layers });
const values = (model: tf.LayersModel, i: number) => [...model.weights[i]!.read().dataSync()];

describe('initializeWeights', () => {
  it('chooses by the layer: Kaiming with fan-out for convolutions of any rank, Xavier for dense layers', () => {
    const deviation = (x: number[]) => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / x.length);
    const conv = build(tf.layers.conv1d({ inputShape: [20, 30], filters: 60, kernelSize: 3 }));
    const dense = build(tf.layers.dense({ inputShape: [90], units: 60 }));
    initializeWeights(conv, 1);
    initializeWeights(dense, 1);
    expect(deviation(values(conv, 0)) / Math.sqrt(2 / (3 * 60))).toBeCloseTo(1, 1);
    expect(deviation(values(dense, 0)) / Math.sqrt(2 / 150)).toBeCloseTo(1, 1);
  });

  it('counts every channel in the fan-out of a depthwise kernel, as PyTorch does for [C, 1, H, W]', () => {
    const model = build(
      tf.layers.depthwiseConv2d({ inputShape: [5, 5, 400], kernelSize: 3, depthMultiplier: 2 }),
    );
    initializeWeights(model, 1);
    const kernel = values(model, 0);
    const deviation = Math.sqrt(kernel.reduce((sum, value) => sum + value * value, 0) / kernel.length);
    expect(deviation / Math.sqrt(2 / (9 * 800))).toBeCloseTo(1, 1);
    expect(new Set(values(model, 1))).toEqual(new Set([0]));
  });

  it('starts a layer that is applied to frames as the layer itself', () => {
    const conv = () => tf.layers.conv2d({ name: 'video/conv1', filters: 2, kernelSize: 3 });
    const image = build(tf.layers.inputLayer({ inputShape: [5, 5, 1] }), conv());
    const frames = build(tf.layers.timeDistributed({ inputShape: [2, 5, 5, 1], layer: conv() }));
    initializeWeights(image, 1);
    initializeWeights(frames, 1);
    expect(values(frames, 0)).toEqual(values(image, 0));
  });

  it('sets constants whatever the layers began with', () => {
    const model = build(
      tf.layers.dense({ inputShape: [2], units: 2, biasInitializer: 'ones' }),
      tf.layers.batchNormalization({ gammaInitializer: 'zeros' }),
      tf.layers.layerNormalization({ gammaInitializer: 'zeros', betaInitializer: 'ones' }),
    );
    initializeWeights(model, 1);
    const byRole = Object.fromEntries(
      model.weights.map(({ originalName }, i) => [originalName.split('/').at(-1), values(model, i)]),
    );
    expect(byRole).toMatchObject({
      bias: [0, 0],
      gamma: [1, 1],
      beta: [0, 0],
      moving_mean: [0, 0],
      moving_variance: [1, 1],
    });
  });

  it('refuses weights that it has no rule for, instead of leaving them at random', () => {
    const model = build(tf.layers.gru({ inputShape: [3, 2], units: 2 }));
    expect(() => initializeWeights(model, 1)).toThrow(/no rule for ".*kernel" of a GRU layer/);
  });
});

import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { expectNoLeak } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { mobileNetV2 } from './mobilenet-v2.js';
import { tabularMlp } from './tabular-mlp.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

// Numbers are compared with PyTorch in golden.test.ts.
describe('mobileNetV2', () => {
  const encoder = () => mobileNetV2({ name: 'image', inputShape: [20, 17, 3], seed: 2 });

  it('has 17 blocks, of which ten add their input, and names layers after torchvision’s', () => {
    const model = encoder();
    const count = (kind: string) => model.layers.filter((layer) => layer.getClassName() === kind).length;
    expect([count('DepthwiseConv2D'), count('Add'), count('Conv2D'), count('ReLU')]).toEqual([
      17, 10, 35, 35,
    ]);
    const names = model.weights.map(({ originalName }) => originalName);
    expect(names).toEqual(
      expect.arrayContaining([
        'image/features/0/0/kernel',
        'image/features/1/conv/0/0/depthwise_kernel',
        'image/features/1/conv/1/kernel',
        'image/features/17/conv/3/moving_mean',
        'image/features/18/1/gamma',
      ]),
    );
  });

  it('has activations between 0 and 6', () => {
    const model = encoder();
    const activations = tf.model({
      inputs: model.inputs,
      outputs: model.getLayer('image/features/0/relu').output as tf.SymbolicTensor,
    });
    const y = activations.apply(tf.mul(tf.ones([2, 20, 17, 3]), 1e12)) as tf.Tensor;
    expect([tf.min(y).dataSync()[0], tf.max(y).dataSync()[0]]).toEqual([0, 6]);
  });

  it('has gradients for every variable, and leaves nothing behind', () => {
    const model = encoder();
    const x = tf.randomNormal([4, 20, 17, 3], 0, 1, 'float32', 1);
    const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const { grads } = tf.variableGrads(
      () => tf.sum(tf.square(model.apply(x, { training: true }) as tf.Tensor)) as tf.Scalar,
      variables,
    );
    const zero = variables.filter(({ name }) => !(tf.norm(grads[name]!).dataSync()[0]! > 0));
    expect(zero.map(({ name }) => name)).toEqual([]);
    for (const training of [true, false]) expectNoLeak(() => model.apply(x, { training }));
  });

  it('refuses frames', () => {
    expect(() => mobileNetV2({ name: 'image', inputShape: [3, 20, 20, 3] as never, seed: 0 })).toThrow(
      '`inputShape` of mobileNetV2 is [3,20,20,3]; expected [H, W, C], each a positive integer.',
    );
  });
});

describe('tabularMlp', () => {
  const encoder = () => tabularMlp({ name: 'weather', inputShape: [8], seed: 2 });

  it('numbers layers as the released code', () => {
    const model = encoder();
    const numbers = (kind: string) =>
      model.layers.filter((layer) => layer.getClassName() === kind).map(({ name }) => name.split('/')[1]);
    expect(numbers('Dense')).toEqual(['0', '4', '8', '12', '15']);
    expect(numbers('BatchNormalization')).toEqual(['1', '5', '9', '13', '16']);
    expect(numbers('Dropout')).toEqual(['3', '7', '11']);
  });

  it('drops 30, 20 and 10 percent in training', () => {
    const rates = encoder()
      .layers.filter((layer) => layer.getClassName() === 'Dropout')
      .map((layer) => layer.getConfig()['rate']);
    expect(rates).toEqual([0.3, 0.2, 0.1]);
    const model = encoder();
    const x = tf.randomNormal([6, 8], 0, 1, 'float32', 1);
    const run = (training: boolean) => (model.apply(x, { training }) as tf.Tensor).dataSync();
    expect(run(true)).not.toEqual(run(true));
    expect(run(false)).toEqual(run(false));
    expectNoLeak(() => model.apply(x, { training: true }));
  });

  it('refuses a shape that is no row', () => {
    expect(() => tabularMlp({ name: 'weather', inputShape: [8, 1] as never, seed: 0 })).toThrow(
      /`inputShape` of tabularMlp is \[8,1\]; expected \[D\]/,
    );
  });
});

import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { expectNoLeak, expectTensorClose, float32Resolution } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { plainCopy } from '../test/plain-copy.js';
import { resnet18 } from './resnet18.js';

let image: tf.LayersModel;
let frames: tf.LayersModel;

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
  image = resnet18({ name: 'video', inputShape: [40, 33, 3], seed: 4 });
  frames = resnet18({ name: 'video', inputShape: [null, 40, 33, 3], seed: 4 });
});

describe('resnet18', () => {
  /** Gradients of the squared features, after a pass in training mode. */
  const gradients = (model: tf.LayersModel, x: tf.Tensor, features = (y: tf.Tensor) => y) => {
    const weights = model.trainableWeights;
    const { grads } = tf.variableGrads(
      () => tf.sum(tf.square(features(model.apply(x, { training: true }) as tf.Tensor))) as tf.Scalar,
      weights.map((weight) => weight.read() as tf.Variable),
    );
    return weights.map(({ name }) => grads[name]!);
  };

  it('trains on frames as on images whose features are averaged, accelerated and as plain layers', async () => {
    const plain = await plainCopy(frames);
    const x = tf.randomNormal([4, 40, 33, 3], 0, 1, 'float32', 1);
    const ofImages = (images: tf.Tensor) =>
      gradients(image, images, (y) => tf.mean(tf.reshape(y, [2, 2, 512]), 1));
    const expected = ofImages(x);
    const differences = (actual: readonly tf.Tensor[]) =>
      actual.map(
        (gradient, i) =>
          tf.div(tf.norm(tf.sub(gradient, expected[i]!)), tf.norm(expected[i]!)).dataSync()[0]!,
      );
    // The last maps have 16 values for each channel, some of them next to the kink of ReLU.
    const resolution = float32Resolution((rounded) =>
      differences(ofImages(tf.tensor(rounded(x.dataSync() as Float32Array), x.shape))),
    );
    for (const model of [frames, plain]) {
      const actual = gradients(model, tf.reshape(x, [2, 2, 40, 33, 3]));
      expect(actual).toHaveLength(60);
      differences(actual).forEach((difference, i) => {
        const allowed = Math.max(1e-5, 10 * resolution[i]!);
        expect(difference, image.trainableWeights[i]!.originalName).toBeLessThan(allowed);
      });
    }
  });

  it('takes a single frame as an image, which plain layers can train too', async () => {
    const encoder = resnet18({ name: 'video', inputShape: [1, 9, 9, 3], seed: 4 });
    expect(encoder.weights.some(({ originalName }) => originalName.includes('frames'))).toBe(false);
    const x = tf.ones([2, 1, 9, 9, 3]);
    expect((encoder.apply(x) as tf.Tensor).shape).toEqual([2, 512]);
    expect(gradients(await plainCopy(encoder), x)).toHaveLength(60);
  });

  it('takes any number of frames if it is left open, and averages over them', () => {
    const features = (x: tf.Tensor) => frames.apply(x) as tf.Tensor;
    const x = tf.randomNormal([1, 3, 40, 33, 3], 0, 1, 'float32', 2);
    const [first, ...others] = tf.split(x, 3, 1).map(features);
    const mean = tf.div(
      others.reduce((sum, y) => tf.add(sum, y), first!),
      3,
    );
    expectTensorClose(features(x), mean, { atol: 1e-5 });
  });

  it('names layers after PyTorch’s, and starts alike for the same seed, with or without frames', () => {
    const names = (model: tf.LayersModel) => model.weights.map(({ originalName }) => originalName);
    expect(names(image)).toEqual(
      expect.arrayContaining([
        'video/conv1/kernel',
        'video/bn1/moving_variance',
        'video/layer1/0/conv2/kernel',
        'video/layer2/0/downsample/0/kernel',
        'video/layer4/1/bn2/gamma',
      ]),
    );
    expect(names(frames)).toEqual(names(image).map((name) => name.replace(/kernel$/, 'frames/kernel')));
    const one = resnet18({ name: 'video', inputShape: [9, 9, 3], seed: 4 });
    const other = resnet18({ name: 'video', inputShape: [2, 9, 9, 3], seed: 5 });
    const values = (model: tf.LayersModel, layer: string) =>
      model.weights
        .find(({ originalName }) => originalName.startsWith(layer))!
        .read()
        .dataSync();
    for (const layer of ['video/conv1', 'video/layer3/0/downsample/0']) {
      expect(values(one, layer)).toEqual(values(image, layer));
      expect(values(frames, layer)).toEqual(values(image, layer));
      expect(values(other, layer)).not.toEqual(values(image, layer));
    }
    // Same shape, same seed, another name.
    expect(values(image, 'video/layer1/0/conv1')).not.toEqual(values(image, 'video/layer1/0/conv2'));
  });

  it('leaves nothing behind', () => {
    const [one, two] = [tf.ones([2, 40, 33, 3]), tf.ones([2, 2, 40, 33, 3])];
    for (const training of [true, false]) {
      expectNoLeak(() => image.apply(one, { training }));
      expectNoLeak(() => frames.apply(two, { training }));
    }
  });

  it.each([
    [[224, 224]],
    [[1, 3, 224, 224, 3]],
    [[0, 10, 3]],
    [[10.5, 10, 3]],
    [[null, 10, 3]],
    [[3, null, 10, 3]],
    [undefined],
  ])('refuses the input shape %j', (inputShape) => {
    expect(() => resnet18({ name: 'audio', inputShape: inputShape as never, seed: 0 })).toThrow(
      /`inputShape` of resnet18 is .*; expected \[H, W, C\] or \[T, H, W, C\], each a positive integer \(or null for T\)/,
    );
  });
});

import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { accelerate } from '@g2d/accelerate';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { plainCopy } from '../test/plain-copy.js';
import { smallImageEncoder } from './small-image-encoder.js';
import { transformer } from './transformer.js';
import { unimodalClassifier } from './unimodal-classifier.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

describe('unimodalClassifier', () => {
  const encoder = () => smallImageEncoder({ name: 'image', inputShape: [12, 12, 1], seed: 1 });
  const x = tf.randomNormal([4, 12, 12, 1], 0, 1, 'float32', 1);

  it('gives the encoder’s features and a linear map of them', () => {
    const image = encoder();
    const teacher = unimodalClassifier(image, { classes: 3, seed: 1 });
    const [logits, features] = teacher.apply(x) as tf.Tensor[];
    expectTensorClose(features!, image.apply(x) as tf.Tensor, { atol: 0 });
    const [kernel, bias] = teacher.getLayer('image/classifier').getWeights();
    expectTensorClose(logits!, tf.add(tf.matMul(features!, kernel!), bias!), { atol: 1e-5 });
  });

  it('shares the encoder’s weights and leaves them as they are', () => {
    const image = encoder();
    image.weights.forEach((weight, i) => weight.write(tf.fill(weight.shape as number[], 0.1 + i / 100)));
    const teacher = unimodalClassifier(image, { classes: 3, seed: 1 });
    expect(teacher.weights).toEqual(expect.arrayContaining(image.weights));
    expect(image.weights[1]!.read().dataSync()[0]).toBeCloseTo(0.11);
  });

  it('begins with Xavier normal weights, another seed with others', () => {
    const head = (seed: number) =>
      unimodalClassifier(encoder(), { classes: 40, seed }).getLayer('image/classifier').getWeights();
    const values = (seed: number) => head(seed)[0]!.dataSync() as Float32Array;
    expect(values(1)).toEqual(values(1));
    expect(values(1)).not.toEqual(values(2));
    const deviation = Math.sqrt(values(1).reduce((sum, v) => sum + v * v, 0) / values(1).length);
    expect(deviation / Math.sqrt(2 / (32 + 40))).toBeCloseTo(1, 1);
    expect(new Set(head(1)[1]!.dataSync())).toEqual(new Set([0]));
  });

  it('takes every input of the encoder', () => {
    const text = transformer({
      name: 'text',
      inputShape: [null, 3],
      seed: 0,
      layers: 1,
      heads: 2,
      width: 4,
      feedForward: 5,
      paddingMask: true,
    });
    const teacher = unimodalClassifier(text, { classes: 2, seed: 0 });
    const [logits, features] = teacher.apply([tf.ones([2, 6, 3]), tf.ones([2, 6])]) as tf.Tensor[];
    expect([logits!.shape, features!.shape]).toEqual([
      [2, 2],
      [2, 4],
    ]);
  });

  it('saves and loads as any other model, and can be accelerated again', async () => {
    const teacher = unimodalClassifier(encoder(), { classes: 3, seed: 1 });
    teacher.apply(x, { training: true });
    const expected = teacher.apply(x) as tf.Tensor[];
    const loaded = await plainCopy(teacher);
    (loaded.predict(x) as tf.Tensor[]).forEach((y, i) => expectTensorClose(y, expected[i]!, { atol: 1e-5 }));
    (accelerate(loaded).apply(x) as tf.Tensor[]).forEach((y, i) =>
      expectTensorClose(y, expected[i]!, { atol: 1e-5 }),
    );
  });

  it.each([0, -1, 2.5, NaN])('refuses %s classes', (classes) => {
    expect(() => unimodalClassifier(encoder(), { classes, seed: 0 })).toThrow(
      /`classes` is .*; expected a positive integer/,
    );
  });
});

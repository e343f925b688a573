import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallAudioEncoder } from './small-audio-encoder.js';
import { smallImageEncoder } from './small-image-encoder.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const encoders = {
  audio: {
    make: smallAudioEncoder,
    inputShape: [56, 56, 1],
    width: 64,
    parameters: 106_552,
    convolutions: 4,
  },
  image: { make: smallImageEncoder, inputShape: [28, 28, 1], width: 32, parameters: 6_072, convolutions: 3 },
} as const;

for (const [name, { make, inputShape, width, parameters, convolutions }] of Object.entries(encoders)) {
  describe(`the small ${name} encoder`, () => {
    const build = (seed: number) => make({ name, inputShape: [...inputShape], seed });

    it('has the size of the experiment’s description', () => {
      const encoder = build(0);
      expect(encoder.outputs[0]!.shape).toEqual([null, width]);
      const trainable = encoder.trainableWeights.reduce(
        (sum, { shape }) => sum + shape.reduce((a, b) => a! * b!, 1)!,
        0,
      );
      expect(trainable).toBe(parameters);
      expect(encoder.layers.filter((layer) => layer.getClassName() === 'Conv2D')).toHaveLength(convolutions);
    });

    it('is as wide as it is told, by a linear layer of its own', () => {
      const encoder = make({ name, inputShape: [...inputShape], seed: 0, width: 5 });
      expect(encoder.outputs[0]!.shape).toEqual([null, 5]);
      expect(encoder.layers.at(-1)!.name).toBe(`${name}/width`);
      const x = tf.randomNormal([2, ...inputShape], 0, 1, 'float32', 1);
      const [kernel, bias] = encoder.layers.at(-1)!.weights.map((weight) => weight.read());
      const expected = tf.add(tf.matMul(build(0).apply(x) as tf.Tensor2D, kernel as tf.Tensor2D), bias!);
      const distance = tf.max(tf.abs(tf.sub(encoder.apply(x) as tf.Tensor, expected))).dataSync()[0]!;
      expect(distance).toBeLessThan(1e-5);
      expect(() => make({ name, inputShape: [...inputShape], seed: 0, width: 0 })).toThrow(/width/);
    });

    it('names its variables after the modality', () => {
      expect(build(0).weights.every(({ originalName }) => originalName.startsWith(`${name}/conv`))).toBe(
        true,
      );
    });

    it('starts alike for the same seed and differently for another', () => {
      const kernel = (seed: number) => build(seed).weights[0]!.read().dataSync();
      expect(kernel(3)).toEqual(kernel(3));
      expect(kernel(3)).not.toEqual(kernel(4));
    });

    it('starts with Kaiming kernels (fan-out), scale 1 and shift 0', () => {
      const weights = build(1).weights;
      const last = weights.filter(({ originalName }) => originalName.endsWith('kernel')).at(-1)!;
      const values = last.read().dataSync() as Float32Array;
      const deviation = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
      const [h, w, , out] = last.shape as number[];
      expect(deviation / Math.sqrt(2 / (h! * w! * out!))).toBeCloseTo(1, 1);
      const gamma = weights.find(({ originalName }) => originalName.endsWith('gamma'))!;
      expect(new Set(gamma.read().dataSync())).toEqual(new Set([1]));
    });

    it('takes other sizes', () => {
      for (const side of [28, 40, 112]) {
        expect(make({ name, inputShape: [side, side, 1], seed: 0 }).outputs[0]!.shape).toEqual([null, width]);
      }
    });

    it('refuses a shape that is no image', () => {
      expect(() => make({ name, inputShape: [28, 28] as never, seed: 0 })).toThrow(
        /`inputShape` of \w+ is \[28,28\]; expected \[H, W, C\]/,
      );
    });

    it('gives one feature vector per sample', () => {
      const features = build(0).apply(tf.ones([2, ...inputShape])) as tf.Tensor;
      expect(features.shape).toEqual([2, width]);
    });
  });
}

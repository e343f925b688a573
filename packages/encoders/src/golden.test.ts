// Encoders against PyTorch: the same weights and inputs in both; see test/golden/make.py.
import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { accelerate } from '@g2d/accelerate';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  goldenInput,
  goldenValues,
  pytorchName,
  readGolden,
  setGoldenWeights,
  summarizeGradient,
  type Golden,
} from '../test/golden.js';
import { plainCopy } from '../test/plain-copy.js';
import { mobileNetV2 } from './mobilenet-v2.js';
import { resnet18 } from './resnet18.js';
import { tabularMlp } from './tabular-mlp.js';
import { transformer } from './transformer.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

const count = (model: tf.LayersModel) =>
  model.trainableWeights.reduce((sum, { shape }) => sum + tf.util.sizeFromShape(shape as number[]), 0);
/** Within eight times what PyTorch's own float32 is away from its float64, or 1e-5 of the largest value if there is nothing to compare with. */
const expectClose = (actual: tf.Tensor, expected: readonly number[], float32?: number) => {
  const largest = Math.max(...expected.map(Math.abs));
  expectTensorClose(actual, expected, {
    atol: float32 === undefined ? 1e-5 * largest : 8 * Math.max(float32, 1e-6 * largest),
  });
};

interface NetworkGolden extends Golden {
  readonly parameters: number;
  readonly train?: readonly number[];
  readonly evalFloat32: number;
  readonly trainFloat32?: number;
}

const networks = {
  'resnet18-spectrogram': () => resnet18({ name: 'audio', inputShape: [65, 47, 1], seed: 0 }),
  'resnet18-frames': () => resnet18({ name: 'video', inputShape: [2, 45, 44, 3], seed: 0 }),
  'tabular-mlp': () => tabularMlp({ name: 'weather', inputShape: [8], seed: 0 }),
  'mobilenet-v2': () => mobileNetV2({ name: 'image', inputShape: [64, 65, 3], seed: 0 }),
};

describe.each(Object.entries(networks))('%s', (name, build) => {
  const golden = readGolden<NetworkGolden>(name);
  let encoder: tf.LayersModel;
  let plain: tf.LayersModel;
  let x: tf.Tensor;
  beforeAll(async () => {
    encoder = build();
    setGoldenWeights(encoder, golden);
    plain = await plainCopy(encoder);
    const input = goldenInput(golden);
    x = input.rank > encoder.inputs[0]!.shape.length ? tf.squeeze(input, [1]) : input;
  });

  it('has PyTorch’s number of parameters', () => {
    expect(count(encoder)).toBe(golden.parameters);
  });

  it('gives PyTorch’s features with running statistics, in predict and as plain layers too', () => {
    expectClose(encoder.apply(x, { training: false }) as tf.Tensor, golden.eval, golden.evalFloat32);
    expectClose(encoder.predict(x) as tf.Tensor, golden.eval, golden.evalFloat32);
    expectClose(plain.apply(x, { training: false }) as tf.Tensor, golden.eval, golden.evalFloat32);
  });

  it('gives them when a loaded model is accelerated again', async () => {
    const loaded = accelerate(await plainCopy(encoder));
    expectClose(loaded.apply(x, { training: false }) as tf.Tensor, golden.eval, golden.evalFloat32);
  });

  // Not where dropout makes it random. The statistics of frames are those of all frames of the batch.
  const { train } = golden;
  it.each(train ? [{ train }] : [])('gives PyTorch’s features with batch statistics', ({ train }) => {
    expectClose(encoder.apply(x, { training: true }) as tf.Tensor, train, golden.trainFloat32);
    expectClose(plain.apply(x, { training: true }) as tf.Tensor, train, golden.trainFloat32);
  });
});

interface TransformerGolden extends Golden {
  readonly size: Readonly<Record<'features' | 'width' | 'layers' | 'heads' | 'hidden', number>>;
  readonly mask: readonly (readonly number[])[];
  readonly gradients: Readonly<Record<string, readonly [number, number]>>;
  readonly masked: readonly number[];
  readonly maskedGradients: Readonly<Record<string, readonly [number, number]>>;
  readonly parameters: number;
}

describe('transformer', () => {
  const golden = readGolden<TransformerGolden>('transformer');
  const { size } = golden;
  const build = (options: { readonly paddingMask: boolean; readonly time: number | null }) => {
    const encoder = transformer({
      name: 'text',
      inputShape: [options.time, size.features],
      seed: 0,
      layers: size.layers,
      heads: size.heads,
      width: size.width,
      feedForward: size.hidden,
      paddingMask: options.paddingMask,
    });
    setGoldenWeights(encoder, golden);
    return encoder;
  };
  const x = () => goldenInput(golden);
  const mask = () => tf.tensor2d(golden.mask as number[][]);

  for (const time of [4, null]) {
    const length = time === null ? 'sequences of any length' : 'sequences of one length';

    it(`gives PyTorch’s features of ${length}, and in predict and as plain layers`, async () => {
      const encoder = build({ paddingMask: false, time });
      expectClose(encoder.apply(x()) as tf.Tensor, golden.eval);
      expectClose(encoder.predict(x()) as tf.Tensor, golden.eval);
      expectClose((await plainCopy(encoder)).apply(x()) as tf.Tensor, golden.eval);
    });

    it(`gives PyTorch’s features of ${length} with a padding mask`, async () => {
      const encoder = build({ paddingMask: true, time });
      expectClose(encoder.apply([x(), mask()]) as tf.Tensor, golden.masked);
      expectClose(encoder.predict([x(), mask()]) as tf.Tensor, golden.masked);
      const loaded = await plainCopy(encoder);
      expectClose(loaded.apply([x(), mask()]) as tf.Tensor, golden.masked);
      expectClose(accelerate(loaded).apply([x(), mask()]) as tf.Tensor, golden.masked);
    });

    it.each([false, true])(`has PyTorch’s gradients of ${length}, padding mask %s`, async (paddingMask) => {
      const encoder = build({ paddingMask, time });
      const expected = paddingMask ? golden.maskedGradients : golden.gradients;
      for (const model of [encoder, await plainCopy(encoder)]) {
        const weights = model.trainableWeights;
        const { grads } = tf.variableGrads(
          () => {
            const features = model.apply(paddingMask ? [x(), mask()] : x(), { training: false }) as tf.Tensor;
            return tf.sum(tf.mul(features, goldenValues(99, features.shape, 0, 1))) as tf.Scalar;
          },
          weights.map((weight) => weight.read() as tf.Variable),
        );
        const actual = Object.fromEntries(
          weights.map((weight) => [
            pytorchName(weight.originalName, 'text'),
            summarizeGradient(grads[weight.name]!, weight.originalName, 'text', golden),
          ]),
        );
        expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
        for (const [name, [norm, projection]] of Object.entries(expected)) {
          expect(Math.abs(actual[name]![0] - norm) / norm, `norm of ${name}`).toBeLessThan(1e-5);
          expect(Math.abs(actual[name]![1] - projection) / norm, `projection of ${name}`).toBeLessThan(1e-5);
        }
      }
    });
  }

  it('has PyTorch’s number of parameters at the paper’s size', () => {
    expect(count(transformer({ name: 'text', inputShape: [20, 300], seed: 0 }))).toBe(golden.parameters);
  });
});

import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { expectNoLeak, expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { transformer } from './transformer.js';

type TransformerOptions = Parameters<typeof transformer>[0];

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

// Numbers are compared with PyTorch in golden.test.ts.
describe('transformer', () => {
  const build = (options: Partial<TransformerOptions> = {}) =>
    transformer({
      name: 'text',
      inputShape: [5, 7],
      seed: 3,
      layers: 2,
      heads: 2,
      width: 8,
      feedForward: 12,
      ...options,
    });
  const x = tf.randomNormal([3, 5, 7], 0, 1, 'float32', 1);
  const layersOf = (model: tf.LayersModel, kind: string) =>
    model.layers.filter((layer) => layer.getClassName() === kind).map(({ name }) => name);

  it('names layers after PyTorch’s', () => {
    const encoder = build({ layers: 1 });
    expect(encoder.weights.map(({ originalName }) => originalName).sort()).toEqual(
      [
        'text/conv/kernel',
        ...['self_attn/in_proj', 'self_attn/out_proj', 'linear1', 'linear2'].flatMap((path) => [
          `text/layers/0/${path}/kernel`,
          `text/layers/0/${path}/bias`,
        ]),
        ...['norm1', 'norm2'].flatMap((path) => [
          `text/layers/0/${path}/gamma`,
          `text/layers/0/${path}/beta`,
        ]),
      ].sort(),
    );
  });

  it('starts a layer alike however many layers and heads there are', () => {
    const weights = (model: tf.LayersModel) =>
      Object.fromEntries(model.weights.map((weight) => [weight.originalName, [...weight.read().dataSync()]]));
    const [two, three] = [weights(build()), weights(build({ layers: 3, heads: 4 }))];
    expect(three).toMatchObject(two);
    expect(Object.keys(three)).toHaveLength(Object.keys(two).length + 12);
    expect(two['text/layers/0/linear1/kernel']).not.toEqual(two['text/layers/1/linear1/kernel']);
  });

  it('drops values in training only, on the weights of each head and in three more places of a layer', () => {
    const encoder = build();
    expect(layersOf(encoder, 'Dropout')).toHaveLength(2 * (2 + 3));
    const run = (model: tf.LayersModel, training: boolean) => model.apply(x, { training }) as tf.Tensor;
    expectTensorClose(run(encoder, false), run(encoder, false), { atol: 0 });
    expect(run(encoder, true).dataSync()).not.toEqual(run(encoder, true).dataSync());

    const without = build({ dropout: 0 });
    expect(layersOf(without, 'Dropout')).toEqual([]);
    expectTensorClose(run(without, true), run(encoder, false), { atol: 1e-6 });
  });

  it('attends to padding without a mask, and does not with one: lengths then do not matter', () => {
    const padded = tf.concat([x, tf.zeros([3, 2, 7])], 1);
    const run = (options: Partial<TransformerOptions>, inputs: tf.Tensor | tf.Tensor[]) =>
      build({ inputShape: [null, 7], ...options }).apply(inputs) as tf.Tensor;
    const features = run({}, x);
    expect(tf.max(tf.abs(tf.sub(run({}, padded), features))).dataSync()[0]).toBeGreaterThan(1e-2);
    const mask = tf.concat([tf.ones([3, 5]), tf.zeros([3, 2])], 1);
    expectTensorClose(run({ paddingMask: true }, [padded, mask]), features, { atol: 1e-5 });
  });

  it('takes a single head and a single step', () => {
    const encoder = build({ inputShape: [1, 7], heads: 1 });
    expect((encoder.apply(tf.ones([2, 1, 7])) as tf.Tensor).shape).toEqual([2, 8]);
  });

  it('has one slice, one product and one softmax per head', () => {
    const encoder = build({ layers: 1, heads: 4 });
    expect(layersOf(encoder, 'Dot')).toHaveLength(8);
    expect(layersOf(encoder, 'Cropping2D')).toHaveLength(12 + 1);
  });

  it('leaves nothing behind', () => {
    const encoder = build();
    for (const training of [true, false]) expectNoLeak(() => encoder.apply(x, { training }));
  });

  it.each<[Partial<TransformerOptions>, RegExp]>([
    [{ inputShape: [5] as never }, /`inputShape` of transformer is \[5\]; expected \[T, D\]/],
    [{ inputShape: [5, null] as never }, /`inputShape` of transformer is \[5,null\]/],
    [{ inputShape: [0, 7] }, /`inputShape` of transformer is \[0,7\]/],
    [{ heads: 3 }, /`heads` is 3 and `width` is 8.*Choose a number of heads that divides 8/],
    [{ heads: 0 }, /`heads` is 0; it must be at least 1/],
    [{ layers: 1.5 }, /`layers` is 1.5; it must be a whole number/],
    [{ width: -8 }, /`width` is -8; it must be at least 1/],
    [{ feedForward: NaN }, /`feedForward` is NaN; it must be a number/],
    [{ dropout: 1 }, /`dropout` is 1; it must be below 1/],
    [{ dropout: NaN }, /`dropout` is NaN/],
  ])('refuses %j', (options, message) => {
    expect(() => build(options)).toThrow(message);
  });
});

import * as tf from '@tensorflow/tfjs';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { lateFusion } from './late-fusion.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const setWeights = ({ layers }: ReturnType<typeof lateFusion>, weights: [number[][], number[]][]) =>
  layers.forEach(({ layer }, i) =>
    layer.setWeights([tf.tensor2d(weights[i]![0]), tf.tensor1d(weights[i]![1])]),
  );

describe('lateFusion', () => {
  it('averages the modalities’ own logits', () => {
    const fusion = lateFusion({ widths: { a: 1, b: 1 }, classes: 2, seed: 0 });
    setWeights(fusion, [
      [[[1, 2]], [0.5, 0]],
      [[[3, -1]], [0, 0]],
    ]);
    const features = { a: tf.tensor2d([[2]]), b: tf.tensor2d([[1]]) };
    const { logits, unimodalLogits, features: same } = fusion.apply(features, { training: false });
    expectTensorClose(unimodalLogits.a, [2.5, 4], { atol: 1e-6 });
    expectTensorClose(unimodalLogits.b, [3, -1], { atol: 1e-6 });
    expectTensorClose(logits, [2.75, 1.5], { atol: 1e-6 });
    expect(same).toBe(features);
  });

  it('divides by three with three modalities', () => {
    const fusion = lateFusion({ widths: { a: 1, b: 1, c: 2 }, classes: 1, seed: 0 });
    setWeights(fusion, [
      [[[1]], [0]],
      [[[2]], [1]],
      [[[1], [-1]], [3]],
    ]);
    const features = { a: tf.tensor2d([[3]]), b: tf.tensor2d([[4]]), c: tf.tensor2d([[5, 2]]) };
    expectTensorClose(fusion.apply(features, { training: false }).logits, [6], { atol: 1e-6 });
  });

  it('averages over the modalities that a sample has', () => {
    const fusion = lateFusion({ widths: { a: 1, b: 1, c: 1 }, classes: 1, seed: 0 });
    setWeights(fusion, [
      [[[1]], [1]],
      [[[2]], [0]],
      [[[3]], [5]],
    ]);
    const column = tf.tensor2d([1, 1, 1], [3, 1]);
    const present = { b: tf.tensor1d([0, 1, 0]), c: tf.tensor1d([0, 0, 1]) };
    const { logits, unimodalLogits, features } = fusion.apply(
      { a: column, b: column, c: column },
      { training: false, present },
    );
    // u = (2, 2, 8); rows a, a and b, a and c
    expectTensorClose(logits, [2, 2, 5], { atol: 1e-6 });
    // What features of 0 give where the modality is absent.
    expectTensorClose(unimodalLogits.b, [0, 2, 0], { atol: 1e-6 });
    expectTensorClose(unimodalLogits.c, [5, 5, 8], { atol: 1e-6 });
    expectTensorClose(features.c, [0, 0, 1], {});
    const none = tf.tensor1d([0, 0, 0]);
    expectTensorClose(
      fusion.apply(
        { a: column, b: column, c: column },
        { training: false, present: { a: none, b: none, c: none } },
      ).logits,
      [0, 0, 0],
      {},
    );
  });

  it('needs a modality, and sizes that are positive integers', () => {
    expect(() => lateFusion({ widths: {}, classes: 2, seed: 0 })).toThrow(/names no modality/);
    expect(() => lateFusion({ widths: { a: 0 }, classes: 2, seed: 0 })).toThrow(/`widths\.a` is 0/);
    expect(() => lateFusion({ widths: { a: 1 }, classes: 1.5, seed: 0 })).toThrow(/`classes` is 1\.5/);
  });
});

import type { Fusion } from '@g2d/core';
import * as tf from '@tensorflow/tfjs';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, it } from 'vitest';
import { sumFusion } from './sum-fusion.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const weights: [number[][], number[]][] = [
  [[[1, 2]], [0.5, 0]],
  [[[3, -1]], [0, 1]],
  [[[1, 1]], [3, 6]],
];
const withWeights = <M extends string>(fusion: Fusion<M>): Fusion<M> => {
  fusion.layers.forEach(({ layer }, i) =>
    layer.setWeights([tf.tensor2d(weights[i]![0]), tf.tensor1d(weights[i]![1])]),
  );
  return fusion;
};
const a = [[2]];
const b = [[1]];
const c = [[2]];

describe('sumFusion', () => {
  it('adds logits, and halves the bias of unimodal ones', () => {
    const fusion = withWeights(sumFusion({ widths: { a: 1, b: 1 }, classes: 2, seed: 0 }));
    const { logits, unimodalLogits } = fusion.apply(
      { a: tf.tensor2d(a), b: tf.tensor2d(b) },
      { training: false },
    );
    expectTensorClose(logits, [5.5, 4], { atol: 1e-6 });
    expectTensorClose(unimodalLogits.a, [2.25, 4], { atol: 1e-6 });
    expectTensorClose(unimodalLogits.b, [3, -0.5], { atol: 1e-6 });
  });

  it('gives each modality its whole bias where that is asked for: z is the sum of the u_m', async () => {
    const fusion = withWeights(
      sumFusion({ widths: { a: 1, b: 1 }, classes: 2, seed: 0, unimodalBias: 'whole' }),
    );
    const { logits, unimodalLogits } = fusion.apply(
      { a: tf.tensor2d(a), b: tf.tensor2d(b) },
      { training: false },
    );
    expectTensorClose(logits, [5.5, 4], { atol: 1e-6 });
    expectTensorClose(unimodalLogits.a, [2.5, 4], { atol: 1e-6 });
    expectTensorClose(unimodalLogits.b, [3, 0], { atol: 1e-6 });
    const inputs = { a: tf.input({ shape: [1] }), b: tf.input({ shape: [1] }) };
    const symbolic = fusion.symbolic(inputs);
    const exported = tf.model({
      inputs: [inputs.a, inputs.b],
      outputs: [symbolic.logits, symbolic.unimodalLogits.b],
    });
    const [z, u] = exported.predict([tf.tensor2d(a), tf.tensor2d(b)]) as tf.Tensor[];
    expectTensorClose(z!, [5.5, 4], { atol: 1e-6 });
    expectTensorClose(u!, [3, 0], { atol: 1e-6 });
  });

  it('gives each of three modalities a third of its bias', () => {
    const fusion = withWeights(sumFusion({ widths: { a: 1, b: 1, c: 1 }, classes: 2, seed: 0 }));
    const features = { a: tf.tensor2d(a), b: tf.tensor2d(b), c: tf.tensor2d(c) };
    const { logits, unimodalLogits } = fusion.apply(features, { training: false });
    expectTensorClose(logits, [10.5, 12], { atol: 1e-6 });
    expectTensorClose(unimodalLogits.a, [2 + 1 / 6, 4], { atol: 1e-6 });
    expectTensorClose(unimodalLogits.b, [3, -2 / 3], { atol: 1e-6 });
    expectTensorClose(unimodalLogits.c, [3, 4], { atol: 1e-6 });
  });

  it('leaves absent modalities out, with their biases', () => {
    const fusion = withWeights(sumFusion({ widths: { a: 1, b: 1, c: 1 }, classes: 2, seed: 0 }));
    const features = { a: tf.tensor2d(a), b: tf.tensor2d(b), c: tf.tensor2d(c) };
    const { logits, unimodalLogits } = fusion.apply(features, {
      training: false,
      present: { b: tf.tensor1d([0]), c: tf.tensor1d([1]) },
    });
    // (2.5, 4) + (5, 8)
    expectTensorClose(logits, [7.5, 12], { atol: 1e-6 });
    expectTensorClose(unimodalLogits.b, [0, 1 / 3], { atol: 1e-6 });
    expectTensorClose(unimodalLogits.c, [3, 4], { atol: 1e-6 });
  });

  it('is a linear classifier with one modality', () => {
    const fusion = withWeights(sumFusion({ widths: { a: 1 }, classes: 2, seed: 0 }));
    const { logits, unimodalLogits } = fusion.apply({ a: tf.tensor2d(a) }, { training: false });
    expectTensorClose(logits, [2.5, 4], { atol: 1e-6 });
    expectTensorClose(unimodalLogits.a, [2.5, 4], { atol: 1e-6 });
  });
});

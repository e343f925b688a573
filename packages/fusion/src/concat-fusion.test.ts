import * as tf from '@tensorflow/tfjs';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { concatFusion } from './concat-fusion.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('concatFusion', () => {
  it('splits the logits by columns of W and halves of b', () => {
    const fusion = concatFusion({ widths: { a: 1, b: 2 }, classes: 2, seed: 0 });
    const [out] = fusion.layers;
    const kernel = [
      [1, 2],
      [3, -1],
      [0, 1],
    ];
    out!.layer.setWeights([tf.tensor2d(kernel), tf.tensor1d([0.5, 1])]);
    const features = { a: tf.tensor2d([[2]]), b: tf.tensor2d([[1, 4]]) };
    const { logits, unimodalLogits } = fusion.apply(features, { training: false });
    expectTensorClose(logits, [5.5, 8], { atol: 1e-6 });
    expectTensorClose(unimodalLogits.a, [2.25, 4.5], { atol: 1e-6 });
    expectTensorClose(unimodalLogits.b, [3.25, 3.5], { atol: 1e-6 });
  });

  it('splits them among three', () => {
    const fusion = concatFusion({ widths: { a: 1, b: 1, c: 1 }, classes: 1, seed: 0 });
    const [out] = fusion.layers;
    out!.layer.setWeights([tf.tensor2d([[1], [2], [4]]), tf.tensor1d([3])]);
    const features = { a: tf.tensor2d([[1]]), b: tf.tensor2d([[10]]), c: tf.tensor2d([[100]]) };
    const { logits, unimodalLogits } = fusion.apply(features, { training: false });
    expectTensorClose(logits, [424], { atol: 1e-4 });
    expectTensorClose(unimodalLogits.a, [2], { atol: 1e-4 });
    expectTensorClose(unimodalLogits.b, [21], { atol: 1e-4 });
    expectTensorClose(unimodalLogits.c, [401], { atol: 1e-4 });
  });

  it('has a gradient of the unimodal logits of one modality', () => {
    const fusion = concatFusion({ widths: { a: 2 }, classes: 1, seed: 0 });
    fusion.layers[0]!.layer.setWeights([tf.tensor2d([[1], [2]]), tf.tensor1d([3])]);
    const logits = (a: tf.Tensor): tf.Scalar =>
      tf.sum(fusion.apply({ a: a as tf.Tensor2D }, { training: true }).unimodalLogits.a);
    const { value, grads } = tf.variableGrads(() => logits(tf.tensor2d([[4, 5]])));
    expectTensorClose(value, [17], { atol: 1e-6 });
    expect(Object.values(grads).map((gradient) => [...gradient.dataSync()])).toEqual([[4, 5], [1]]);
  });

  it('takes zeros for absent modalities and keeps the bias', () => {
    const fusion = concatFusion({ widths: { a: 1, b: 1, c: 1 }, classes: 1, seed: 0 });
    fusion.layers[0]!.layer.setWeights([tf.tensor2d([[1], [2], [4]]), tf.tensor1d([3])]);
    const features = { a: tf.tensor2d([[1]]), b: tf.tensor2d([[10]]), c: tf.tensor2d([[100]]) };
    const { logits, unimodalLogits } = fusion.apply(features, {
      training: false,
      present: { b: tf.tensor1d([0]) },
    });
    expectTensorClose(logits, [404], { atol: 1e-4 });
    expectTensorClose(unimodalLogits.b, [1], { atol: 1e-4 });
    expectTensorClose(unimodalLogits.c, [401], { atol: 1e-4 });
  });

  it('has one shared layer', () => {
    const { layers } = concatFusion({ widths: { a: 1, b: 2 }, classes: 2, seed: 0 });
    expect(layers.map(({ layer, modality }) => [layer.name, modality])).toEqual([
      ['fusion/fc_out', undefined],
    ]);
  });
});

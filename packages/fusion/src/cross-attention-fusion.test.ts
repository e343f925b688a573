import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { crossAttentionFusion } from './cross-attention-fusion.js';

interface Golden {
  readonly widths: readonly number[];
  readonly present: readonly (readonly number[])[];
  readonly logits: readonly number[];
  readonly unimodalLogits: readonly (readonly number[])[];
  readonly maskedLogits: readonly number[];
}
/** Made with PyTorch's `nn.MultiheadAttention` by make.py beside it. */
const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, '../test/golden/cross-attention.json'), 'utf8'),
) as Golden[];

/** The values of make.py. */
const values = (shape: number[], phase: number, scale: number) =>
  tf.tidy(() => {
    const size = tf.util.sizeFromShape(shape);
    return tf.tensor(
      Array.from({ length: size }, (_, i) => scale * Math.sin(1.7 * i + phase)),
      shape,
    );
  });

describe.each(['tensorflow', 'wasm', 'cpu'] as const)('crossAttentionFusion on %s', (backend) => {
  beforeAll(async () => {
    await loadTensorFlow({ backend, quiet: true });
  });

  it.each(golden)('is PyTorch’s attention over tokens of $widths numbers', (expected) => {
    const names = expected.widths.map((_, i) => `m${i}`);
    const fusion = crossAttentionFusion({
      widths: Object.fromEntries(names.map((name, i) => [name, expected.widths[i]!])),
      classes: 2,
      seed: 0,
      hidden: 4,
      heads: 2,
    });
    let phase = 1;
    for (const { layer } of fusion.layers) {
      layer.setWeights(layer.getWeights().map(({ shape }) => values(shape, phase++, 0.5)));
    }
    const features = Object.fromEntries(
      names.map((name, i) => [name, values([2, expected.widths[i]!], 20 + i, 1) as tf.Tensor2D]),
    );
    const { logits, unimodalLogits } = fusion.apply(features, { training: false });
    expectTensorClose(logits, expected.logits, { atol: 2e-6 });
    names.forEach((name, i) =>
      expectTensorClose(unimodalLogits[name]!, expected.unimodalLogits[i]!, { atol: 2e-6 }),
    );
    const present = Object.fromEntries(
      names.map((name, i) => [name, tf.tensor1d(expected.present.map((row) => row[i]!))]),
    );
    expectTensorClose(fusion.apply(features, { training: false, present }).logits, expected.maskedLogits, {
      atol: 2e-6,
    });
  });
});

describe('crossAttentionFusion', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });
  const options = { widths: { a: 1, b: 1 }, classes: 1, seed: 0, hidden: 2, heads: 1 } as const;

  /**
   * t_a = (f, 0), t_b = (0, f), queries 2 √2 t, keys and values t, what is attended counted whole, LN without scale or
   * shift, z = (1, 0) · LN_a + (0, 10) · LN_b + 1.
   */
  const byHand = () => {
    const fusion = crossAttentionFusion(options);
    const [a, b, inProjection, outProjection, norm, out] = fusion.layers.map(({ layer }) => layer);
    a!.setWeights([tf.tensor2d([[1, 0]]), tf.zeros([2])]);
    b!.setWeights([tf.tensor2d([[0, 1]]), tf.zeros([2])]);
    const s = 2 * Math.SQRT2;
    const queriesKeysValues = [
      [s, 0, 1, 0, 1, 0],
      [0, s, 0, 1, 0, 1],
    ];
    inProjection!.setWeights([tf.tensor2d(queriesKeysValues), tf.zeros([6])]);
    outProjection!.setWeights([tf.eye(2), tf.zeros([2])]);
    norm!.setWeights([tf.ones([2]), tf.zeros([2])]);
    out!.setWeights([tf.tensor2d([1, 0, 0, 10], [4, 1]), tf.tensor1d([1])]);
    return fusion;
  };
  const features = { a: tf.tensor2d([[1]]), b: tf.tensor2d([[-1]]) };
  /** LN of two numbers is (±1, ∓1) r with r = d / √(d² + ε), d half of their distance. */
  const half = (x: number, y: number) => (x - y) / 2 / Math.sqrt(((x - y) / 2) ** 2 + 1e-5);

  it('weighs both tokens by the products of queries and keys', () => {
    const { logits, unimodalLogits } = byHand().apply(features, { training: false });
    // t_a = (1, 0), t_b = (0, −1): scores 2 with itself, 0 with the other, weights w = σ(2) and 1 − w.
    const w = 1 / (1 + Math.exp(-2));
    // y_a = (1 + w, w − 1), y_b = (1 − w, −1 − w)
    const expected = half(1 + w, w - 1) - 10 * half(1 - w, -1 - w) + 1;
    expectTensorClose(logits, [expected], { atol: 1e-5 });
    // t_b = (0, 0): its scores are 0, so it hears half of t_a.
    const onlyA = half(1 + w, 0) - 10 * half(0.5, 0) + 1;
    expectTensorClose(unimodalLogits.a, [onlyA], { atol: 1e-5 });
    // t_a = (0, 0) hears half of t_b: y_a = (0, −1/2), y_b = (0, −1 − w).
    const onlyB = half(0, -0.5) - 10 * half(0, -1 - w) + 1;
    expectTensorClose(unimodalLogits.b, [onlyB], { atol: 1e-5 });
  });

  it('neither hears an absent modality nor counts its part', () => {
    const present = { b: tf.tensor1d([0]) };
    // y_a = (2, 0), nothing of b.
    expectTensorClose(byHand().apply(features, { training: false, present }).logits, [half(2, 0) + 1], {
      atol: 1e-5,
    });
    const none = { a: tf.tensor1d([0]), b: tf.tensor1d([0]) };
    expectTensorClose(byHand().apply(features, { training: false, present: none }).logits, [1], { atol: 0 });
  });

  it('has a projection of each modality in its group, the others shared', () => {
    const { layers } = crossAttentionFusion({ widths: { a: 3, b: 5, c: 7 }, classes: 2, seed: 0 });
    expect(layers.map(({ layer, modality }) => [layer.name, modality, layer.weights[0]!.shape])).toEqual([
      ['head/a/projection', 'a', [3, 512]],
      ['head/b/projection', 'b', [5, 512]],
      ['head/c/projection', 'c', [7, 512]],
      ['fusion/attention/in_proj', undefined, [512, 1536]],
      ['fusion/attention/out_proj', undefined, [512, 512]],
      ['fusion/norm', undefined, [512]],
      ['fusion/fc_out', undefined, [1536, 2]],
    ]);
  });

  it('refuses one modality, and heads that do not divide the width', () => {
    expect(() => crossAttentionFusion({ ...options, widths: { a: 1 } })).toThrow(
      /for two modalities or more, but `widths` names a alone\. Use late fusion/,
    );
    expect(() => crossAttentionFusion({ ...options, hidden: 6, heads: 4 })).toThrow(
      /`heads` is 4 and `hidden` is 6/,
    );
    expect(() => crossAttentionFusion({ ...options, hidden: 0 })).toThrow(/`hidden` is 0/);
    expect(() => crossAttentionFusion({ ...options, heads: 1.5 })).toThrow(/`heads` is 1\.5/);
  });
});

import * as tf from '@tensorflow/tfjs';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { filmFusion } from './film-fusion.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const options = { widths: { audio: 2, visual: 2 }, classes: 2, seed: 0 } as const;

/** γ = (f_0, 2 f_1 + 1), β = (f_0, f_1 − 1), W_o (x) = (x_0 + x_1 + 1, 2 x_1 − 2). */
const withWeights = (fusion: ReturnType<typeof filmFusion<'audio' | 'visual'>>) => {
  const [fc, out] = fusion.layers;
  const kernel = [
    [1, 0, 1, 0],
    [0, 2, 0, 1],
  ];
  fc!.layer.setWeights([tf.tensor2d(kernel), tf.tensor1d([0, 1, 0, -1])]);
  const outKernel = [
    [1, 0],
    [1, 2],
  ];
  out!.layer.setWeights([tf.tensor2d(outKernel), tf.tensor1d([1, -2])]);
  return fusion;
};
const features = () => ({ audio: tf.tensor2d([[1, 2]]), visual: tf.tensor2d([[3, 1]]) });

describe('filmFusion', () => {
  it('lets the first modality condition the second, and each itself for unimodal logits', () => {
    const { logits, unimodalLogits } = withWeights(filmFusion(options)).apply(features(), {
      training: false,
    });
    // γ(a) ⊙ v + β(a) = (1, 5) ⊙ (3, 1) + (1, 1) = (4, 6)
    expectTensorClose(logits, [11, 10], { atol: 1e-6 });
    // (1, 5) ⊙ (1, 2) + (1, 1) = (2, 11), half of the bias
    expectTensorClose(unimodalLogits.audio, [13.5, 21], { atol: 1e-6 });
    // (3, 3) ⊙ (3, 1) + (3, 0) = (12, 3)
    expectTensorClose(unimodalLogits.visual, [15.5, 5], { atol: 1e-6 });
  });

  it('lets the second condition the first on request', () => {
    const { logits } = withWeights(filmFusion({ ...options, conditionedBy: 'visual' })).apply(features(), {
      training: false,
    });
    // (3, 3) ⊙ (1, 2) + (3, 0) = (6, 6)
    expectTensorClose(logits, [13, 10], { atol: 1e-6 });
  });

  it('takes zeros for absent modalities', () => {
    const fusion = withWeights(filmFusion(options));
    // γ(0) ⊙ v + β(0) = (0, 1) ⊙ (3, 1) + (0, −1) = (0, 0)
    expectTensorClose(
      fusion.apply(features(), { training: false, present: { audio: tf.tensor1d([0]) } }).logits,
      [1, -2],
      { atol: 1e-6 },
    );
    // γ(a) ⊙ 0 + β(a) = (1, 1)
    expectTensorClose(
      fusion.apply(features(), { training: false, present: { visual: tf.tensor1d([0]) } }).logits,
      [3, 0],
      { atol: 1e-6 },
    );
  });

  it('projects features of different widths to one', () => {
    const { layers: all, ...fusion } = filmFusion({ ...options, widths: { audio: 1, visual: 3 }, hidden: 2 });
    expect(all.map(({ layer, modality }) => [layer.name, modality])).toEqual([
      ['head/audio/projection', 'audio'],
      ['head/visual/projection', 'visual'],
      ['fusion/fc', undefined],
      ['fusion/fc_out', undefined],
    ]);
    // h_a = (f, 2) and h_v = (f_0 + f_2, f_1) of these features are those of the tests above.
    all[0]!.layer.setWeights([tf.tensor2d([[1, 0]]), tf.tensor1d([0, 2])]);
    all[1]!.layer.setWeights([tf.tensor2d([1, 0, 0, 1, 1, 0], [3, 2]), tf.zeros([2])]);
    withWeights({ ...fusion, layers: all.slice(2) });
    const given = { audio: tf.tensor2d([[1]]), visual: tf.tensor2d([[1, 1, 2]]) };
    const { features: same, logits, unimodalLogits } = fusion.apply(given, { training: false });
    expectTensorClose(logits, [11, 10], { atol: 1e-6 });
    expectTensorClose(unimodalLogits.audio, [13.5, 21], { atol: 1e-6 });
    expectTensorClose(unimodalLogits.visual, [15.5, 5], { atol: 1e-6 });
    expect(same).toBe(given);
  });

  it('lets one of three condition the others', () => {
    const three = { widths: { audio: 2, visual: 2, text: 2 }, classes: 2, seed: 0 } as const;
    const given = { ...features(), text: tf.tensor2d([[2, -1]]) };
    const by = (conditionedBy?: 'text') => {
      const fusion = filmFusion({ ...three, ...(conditionedBy && { conditionedBy }) });
      withWeights(fusion as unknown as ReturnType<typeof filmFusion<'audio' | 'visual'>>);
      return fusion;
    };
    const { logits, unimodalLogits } = by().apply(given, { training: false });
    // (1, 5) ⊙ ((3, 1) + (2, −1)) + 2 (1, 1) = (7, 2)
    expectTensorClose(logits, [10, 2], { atol: 1e-6 });
    // (1, 5) ⊙ (1, 2) + (1, 1) = (2, 11), a third of the bias
    expectTensorClose(unimodalLogits.audio, [13 + 1 / 3, 22 - 2 / 3], { atol: 1e-5 });
    // γ(t) = (2, −1), β(t) = (2, −2): (2, −1) ⊙ ((1, 2) + (3, 1)) + 2 (2, −2) = (12, −7)
    expectTensorClose(by('text').apply(given, { training: false }).logits, [6, -16], { atol: 1e-5 });
    // Without text: (1, 5) ⊙ (3, 1) + 2 (1, 1) = (5, 7), β of what is absent stays.
    const present = { text: tf.tensor1d([0]) };
    expectTensorClose(by().apply(given, { training: false, present }).logits, [13, 12], { atol: 1e-6 });
  });

  it('refuses one modality, different widths and an unknown modality', () => {
    const sizes = { classes: 2, seed: 0 };
    expect(() => filmFusion({ widths: { a: 2 }, ...sizes })).toThrow(
      /FiLM fusion is for two modalities or more, but `widths` names a alone\./,
    );
    expect(() => filmFusion({ widths: { a: 2, b: 2, c: 3 }, ...sizes })).toThrow(
      /a has 2 and c has 3\. Give `hidden`/,
    );
    expect(() => filmFusion({ ...options, hidden: 1.5 })).toThrow(/`hidden` is 1\.5/);
    expect(() => filmFusion({ ...options, conditionedBy: 'vidoe' })).toThrow(
      /`conditionedBy` is "vidoe", which is not one of audio, visual/,
    );
  });
});

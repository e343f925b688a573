import * as tf from '@tensorflow/tfjs';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { gatedFusion } from './gated-fusion.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const options = { widths: { audio: 1, visual: 1 }, classes: 2, hidden: 2, seed: 0 } as const;

/** h_a = (f − 2, ln 3), h_v = (2 f, 1 − f), W_o (x) = (x_0 + x_1 + 1, 2 x_1 − 2). */
const withWeights = (fusion: ReturnType<typeof gatedFusion<'audio' | 'visual'>>) => {
  const [x, y, out] = fusion.layers;
  x!.layer.setWeights([tf.tensor2d([[1, 0]]), tf.tensor1d([-2, Math.log(3)])]);
  y!.layer.setWeights([tf.tensor2d([[2, -1]]), tf.tensor1d([0, 1])]);
  const kernel = [
    [1, 0],
    [1, 2],
  ];
  out!.layer.setWeights([tf.tensor2d(kernel), tf.tensor1d([1, -2])]);
  return fusion;
};
const features = () => ({ audio: tf.tensor2d([[2]]), visual: tf.tensor2d([[4]]) });

describe('gatedFusion', () => {
  it('opens the second modality with the first, and shows projections as features', () => {
    const outputs = withWeights(gatedFusion(options)).apply(features(), { training: false });
    expectTensorClose(outputs.features.audio, [0, Math.log(3)], { atol: 1e-6 });
    expectTensorClose(outputs.features.visual, [8, -3], { atol: 1e-6 });
    // σ(0, ln 3) ⊙ (8, −3) = (1/2, 3/4) ⊙ (8, −3) = (4, −2.25)
    expectTensorClose(outputs.logits, [2.75, -6.5], { atol: 1e-6 });
    expectTensorClose(outputs.unimodalLogits.audio, [Math.log(3) + 0.5, 2 * Math.log(3) - 1], { atol: 1e-6 });
    expectTensorClose(outputs.unimodalLogits.visual, [5.5, -7], { atol: 1e-6 });
  });

  it('opens the first with the second on request', () => {
    const { logits } = withWeights(gatedFusion({ ...options, gatedBy: 'visual' })).apply(features(), {
      training: false,
    });
    // σ(8, −3) ⊙ (0, ln 3) = (0, ln 3 / (1 + e³)) = (0, 0.0521027)
    expectTensorClose(logits, [1.0521027, -1.8957947], { atol: 1e-6 });
  });

  it('projects zeros for absent modalities', () => {
    const fusion = withWeights(gatedFusion(options));
    const withoutAudio = fusion.apply(features(), { training: false, present: { audio: tf.tensor1d([0]) } });
    expectTensorClose(withoutAudio.features.audio, [-2, Math.log(3)], { atol: 1e-6 });
    // σ(−2, ln 3) ⊙ (8, −3) = (8 / (1 + e²), −2.25)
    const gated = 8 / (1 + Math.exp(2));
    expectTensorClose(withoutAudio.logits, [gated - 2.25 + 1, -6.5], { atol: 1e-6 });
    // σ(0, ln 3) ⊙ (0, 1) = (0, 3/4)
    const withoutVisual = fusion.apply(features(), {
      training: false,
      present: { visual: tf.tensor1d([0]) },
    });
    expectTensorClose(withoutVisual.logits, [1.75, -0.5], { atol: 1e-6 });
  });

  it('has projections of one modality each, 512 wide unless told otherwise', () => {
    const { layers } = gatedFusion({ widths: { audio: 3, visual: 5 }, classes: 2, seed: 0 });
    expect(layers.map(({ layer, modality }) => [layer.name, modality, layer.weights[0]!.shape])).toEqual([
      ['fusion/fc_x', 'audio', [3, 512]],
      ['fusion/fc_y', 'visual', [5, 512]],
      ['fusion/fc_out', undefined, [512, 2]],
    ]);
  });

  it('opens all others with one of three', () => {
    const three = { widths: { audio: 1, visual: 1, text: 1 }, classes: 2, hidden: 2, seed: 0 } as const;
    const given = { ...features(), text: tf.tensor2d([[1]]) };
    const by = (gatedBy?: 'text') => {
      const fusion = gatedFusion({ ...three, ...(gatedBy && { gatedBy }) });
      expect(fusion.layers.map(({ layer, modality }) => [layer.name, modality])).toEqual([
        ['head/audio/projection', 'audio'],
        ['head/visual/projection', 'visual'],
        ['head/text/projection', 'text'],
        ['fusion/fc_out', undefined],
      ]);
      const [x, y, t, out] = fusion.layers;
      withWeights({ ...fusion, layers: [x, y, out] } as unknown as ReturnType<
        typeof gatedFusion<'audio' | 'visual'>
      >);
      // h_t = (f + 3, −f)
      t!.layer.setWeights([tf.tensor2d([[1, -1]]), tf.tensor1d([3, 0])]);
      return fusion;
    };
    const { logits, unimodalLogits } = by().apply(given, { training: false });
    // (1/2, 3/4) ⊙ ((8, −3) + (4, −1)) = (6, −3)
    expectTensorClose(logits, [4, -8], { atol: 1e-6 });
    // (4, −1) with a third of the bias
    expectTensorClose(unimodalLogits.text, [3 + 1 / 3, -2 - 2 / 3], { atol: 1e-6 });
    // σ(4, −1) ⊙ ((0, ln 3) + (8, −3)) = (0.9820138 · 8, 0.2689414 · −1.9013877)
    const gate = [7.8561103, -0.5113619];
    expectTensorClose(
      by('text').apply(given, { training: false }).logits,
      [gate[0]! + gate[1]! + 1, 2 * gate[1]! - 2],
      { atol: 1e-5 },
    );
    // Without text: h_t = (3, 0), (1/2, 3/4) ⊙ (11, −3) = (5.5, −2.25)
    const present = { text: tf.tensor1d([0]) };
    expectTensorClose(by().apply(given, { training: false, present }).logits, [4.25, -6.5], { atol: 1e-6 });
  });

  it('refuses one modality, and a width that is none', () => {
    expect(() => gatedFusion({ widths: { a: 2 }, classes: 2, seed: 0 })).toThrow(
      /Gated fusion is for two modalities or more/,
    );
    expect(() => gatedFusion({ ...options, hidden: 0 })).toThrow(/`hidden` is 0/);
  });
});

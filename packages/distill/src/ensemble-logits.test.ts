import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { expectNoLeak, expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensembleLogits } from './ensemble-logits.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'wasm', quiet: true });
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

describe.each(['tensorflow', 'wasm', 'cpu'])('ensembleLogits on the %s backend', (backend) => {
  beforeAll(async () => {
    expect(await tf.setBackend(backend)).toBe(true);
  });

  const audio = tf.tensor2d([
    [2, 1, 0],
    [0.4, -0.6, 1.2],
    [1.5, -2, 0.25],
  ]);
  const video = tf.tensor2d([
    [0.3, -1, 2],
    [-0.2, 0.5, 0.1],
    [0.7, 0.6, -1.1],
  ]);
  const text = tf.tensor2d([
    [1, 3, 1],
    [NaN, NaN, NaN],
    [Infinity, 0, 0],
  ]);
  const average = 'probabilities';

  it('is the mean of the logits', () => {
    expectTensorClose(ensembleLogits({ audio, video }), tf.div(tf.add(audio, video), 2), { atol: 1e-7 });
    expectTensorClose(ensembleLogits({ audio }), audio, { atol: 0 });
  });

  it('is the logarithm of the mean probabilities, PyTorch’s values', () => {
    // torch.log((softmax(audio) + softmax(video)) / 2)
    const expected = [
      -0.8995978, -1.947976, -0.7969434, -1.371496, -1.26609, -0.7671359, -0.475995, -1.469622, -1.905683,
    ];
    const mean = ensembleLogits({ audio, video }, { average });
    expectTensorClose(mean, expected, { atol: 2e-6 });
    expectTensorClose(tf.softmax(mean), tf.div(tf.add(tf.softmax(audio), tf.softmax(video)), 2), {
      atol: 1e-6,
    });
  });

  it('stays finite for a class that has no probability left', () => {
    const sure = tf.tensor2d([[500, -500]]);
    const [[, other]] = ensembleLogits({ a: sure, b: sure }, { average }).arraySync() as [[number, number]];
    expect(other).toBeCloseTo(-1000, 2);
  });

  it('for regression is the logit of the mean sigmoid, PyTorch’s values', () => {
    const u = tf.tensor2d([[1.2], [-0.7], [0.1]]);
    const v = tf.tensor2d([[0.5], [-2], [1.5]]);
    // torch.logit((sigmoid(u) + sigmoid(v)) / 2)
    const mean = ensembleLogits({ u, v }, { average, task: 'regression' });
    expect(mean.shape).toEqual([3, 1]);
    expectTensorClose(mean, [0.8259226, -1.233854, 0.7139656], { atol: 2e-6 });
    expectTensorClose(ensembleLogits({ u, v }, { task: 'regression' }), [0.85, -1.35, 0.8], { atol: 1e-6 });
    const present = { u: tf.tensor1d([1, 0, 0]), v: tf.tensor1d([0, 1, 0]) };
    const masked = ensembleLogits({ u, v }, { average, task: 'regression', present });
    expectTensorClose(masked, [1.2, -2, 0], { atol: 1e-6 });
    expect(() => ensembleLogits({ u: audio }, { task: 'regression' })).toThrow(
      /`teacherLogits.u` has shape \[3, 3\]; expected \[B, 1\]/,
    );
  });

  it('is over the modalities that a sample has, and knows nothing of one that has none', () => {
    const present = { video: tf.tensor1d([1, 1, 0]), text: tf.tensor1d([1, 0, 0]) };
    const logits = ensembleLogits({ audio, video, text }, { present });
    const row = (x: tf.Tensor2D, i: number) => tf.slice2d(x, [i, 0], [1, 3]);
    const mean = (i: number, ...modalities: tf.Tensor2D[]) =>
      tf.div(tf.addN(modalities.map((x) => row(x, i))), modalities.length);
    const expected = [mean(0, audio, video, text), mean(1, audio, video), mean(2, audio)];
    expectTensorClose(logits, tf.concat(expected), { atol: 1e-6 });

    const probability = (i: number, ...modalities: tf.Tensor2D[]) =>
      mean(0, ...modalities.map((x) => tf.softmax(row(x, i)) as tf.Tensor2D));
    expectTensorClose(
      tf.softmax(ensembleLogits({ audio, video, text }, { average, present })),
      tf.concat([probability(0, audio, video, text), probability(1, audio, video), probability(2, audio)]),
      { atol: 1e-6 },
    );

    const nobody = { text: tf.zeros<tf.Rank.R1>([3]) };
    expectTensorClose(ensembleLogits({ text }, { present: nobody }), tf.zeros([3, 3]), { atol: 0 });
    const uniform = ensembleLogits({ text }, { average, present: nobody });
    expectTensorClose(uniform, tf.mul(tf.ones([3, 3]), -Math.log(3)), { atol: 1e-6 });
  });

  it('does not depend on the order of the modalities', () => {
    for (const average of ['logits', 'probabilities'] as const) {
      const [one, other] = [
        ensembleLogits({ audio, video }, { average }),
        ensembleLogits({ video, audio }, { average }),
      ];
      expectTensorClose(one, other, { atol: 1e-6 });
    }
  });

  it('leaves nothing behind', () => {
    const present = { video: tf.tensor1d([1, 1, 0]) };
    for (const average of ['logits', 'probabilities'] as const) {
      expectNoLeak(() => ensembleLogits({ audio, video }, { average }));
      expectNoLeak(() => ensembleLogits({ audio, video }, { average, present }));
    }
  });

  it('says what it cannot average', () => {
    expect(() => ensembleLogits({})).toThrow(/at least one modality/);
    expect(() => ensembleLogits({ audio, video: tf.zeros<tf.Rank.R2>([3, 4]) })).toThrow(
      /`teacherLogits.video` has shape \[3, 4\]; expected \[3, 3\], the shape of `teacherLogits.audio`/,
    );
    expect(() => ensembleLogits({ audio }, { average: 'votes' as never })).toThrow(/`average` is "votes"/);
    // @ts-expect-error no modality "aduio"
    expect(() => ensembleLogits({ audio }, { present: { aduio: tf.ones([3]) } })).toThrow(
      /no modality "aduio"/,
    );
    expect(() => ensembleLogits({ audio }, { present: { audio: tf.ones([2]) } })).toThrow(
      /`present.audio` has shape \[2\]/,
    );
  });
});

import * as tf from '@tensorflow/tfjs';
import { expectNoLeak, expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { modalityConfidence } from './modality-confidence.js';
import { regressionConfidence } from './regression-confidence.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('modalityConfidence', () => {
  it('is 1/C for equal logits and the mean of p[y], computed by hand', () => {
    expectTensorClose(modalityConfidence(tf.tensor1d([0, 3], 'int32'), tf.zeros([2, 4])), 0.25, {
      atol: 1e-6,
    });
    const logits = tf.tensor2d([
      [Math.log(3), 0],
      [0, 0],
    ]);
    expectTensorClose(modalityConfidence(tf.tensor1d([0, 1], 'int32'), logits), 0.625, { atol: 1e-6 });
  });

  it('does not change when samples are permuted, and leaves nothing behind', () => {
    const labels = tf.tensor1d([0, 1, 2], 'int32');
    const logits = tf.tensor2d([
      [1, 2, 3],
      [0, 5, 1],
      [2, 2, 0],
    ]);
    const permuted = modalityConfidence(tf.reverse(labels), tf.reverse(logits, 0));
    expectTensorClose(permuted, modalityConfidence(labels, logits), { atol: 1e-7 });
    expectNoLeak(() => modalityConfidence(labels, logits));
    const present = tf.tensor1d([1, 0, 1]);
    expectNoLeak(() => modalityConfidence(labels, logits, { present }));
  });

  const labels = tf.tensor1d([0, 1, 0], 'int32');
  const logits = tf.tensor2d([
    [Math.log(3), 0],
    [0, 0],
    [NaN, NaN],
  ]);

  it('is the mean over the samples that are present, whatever a teacher says of the others', () => {
    const rho = (present: number[]) => modalityConfidence(labels, logits, { present: tf.tensor1d(present) });
    expectTensorClose(rho([1, 1, 0]), 0.625, { atol: 1e-6 });
    expectTensorClose(rho([1, 0, 0]), 0.75, { atol: 1e-6 });
    // Diverged where the modality is present.
    expect(rho([1, 1, 1]).dataSync()[0]).toBeNaN();
  });

  it('is NaN if no sample has the modality, and refuses a mask of another size', () => {
    expect(modalityConfidence(labels, logits, { present: tf.zeros([3]) }).dataSync()[0]).toBeNaN();
    expect(() => modalityConfidence(labels, logits, { present: tf.ones([2]) })).toThrow(
      '`present` has shape [2]; expected [B].',
    );
  });

  it('is bit-identical with a mask of ones', () => {
    const [y, u] = [
      tf.tensor1d([0, 1, 1, 2], 'int32'),
      tf.randomNormal<tf.Rank.R2>([4, 3], 0, 1, 'float32', 7),
    ];
    expect(modalityConfidence(y, u, { present: tf.ones([4]) }).dataSync()).toEqual(
      modalityConfidence(y, u).dataSync(),
    );
  });
});

describe('regressionConfidence', () => {
  // sigmoid(0) = 0.5, sigmoid(log 3) = 0.75: errors 0.5 and 0.25.
  const targets = tf.tensor1d([0, 1]);
  const outputs = tf.tensor1d([0, Math.log(3)]);

  it('is the mean of exp(−error²/variance), computed by hand, for [B] and [B, 1]', () => {
    const expected = (Math.exp(-0.25 / 0.5) + Math.exp(-0.0625 / 0.5)) / 2;
    expectTensorClose(regressionConfidence(targets, outputs, { variance: 0.5 }), expected, { atol: 1e-6 });
    const column = tf.reshape<tf.Rank.R2>(outputs, [2, 1]);
    expectTensorClose(regressionConfidence(targets, column, { variance: 0.5 }), expected, { atol: 1e-6 });
    const present = tf.tensor1d([0, 1]);
    expectTensorClose(
      regressionConfidence(targets, outputs, { variance: 0.5, present }),
      Math.exp(-0.0625 / 0.5),
      { atol: 1e-6 },
    );
    expectNoLeak(() => regressionConfidence(targets, column, { variance: 0.5, present }));
  });

  it('is 1 without error, and not above', () => {
    const targets = tf.mul(tf.ones<tf.Rank.R1>([7]), 0.5) as tf.Tensor1D;
    const right = regressionConfidence(targets, tf.zeros<tf.Rank.R1>([7]), { variance: 1e-6 });
    expect(right.dataSync()[0]).toBe(1);
  });

  it('refuses a variance of 0 and other shapes', () => {
    for (const variance of [0, -1, NaN, Infinity]) {
      expect(() => regressionConfidence(targets, outputs, { variance })).toThrow(
        `\`variance\` is ${variance}; expected a number above 0.`,
      );
    }
    const wrong = (y: tf.Tensor, u: tf.Tensor) => () =>
      regressionConfidence(y as tf.Tensor1D, u as tf.Tensor1D, { variance: 1 });
    expect(wrong(targets, tf.zeros([3]))).toThrow('`outputs` has shape [3]; expected [B] or [B, 1].');
    expect(wrong(targets, tf.zeros([2, 2]))).toThrow(/`outputs` has shape \[2, 2\]/);
    expect(wrong(targets, tf.scalar(0))).toThrow(/`outputs`/);
    expect(wrong(tf.zeros([2, 1]), outputs)).toThrow(/`targets` has shape \[2, 1\]/);
  });
});

describe('options that do not exist', () => {
  it('are refused', () => {
    const [labels, logits] = [tf.tensor1d([0], 'int32'), tf.zeros<tf.Rank.R2>([1, 2])];
    expect(() => modalityConfidence(labels, logits, { presnt: tf.ones([1]) } as never)).toThrow(
      '`presnt` is "unknown"; expected one of present.',
    );
    expect(() =>
      regressionConfidence(labels, tf.zeros<tf.Rank.R1>([1]), { variance: 1, mask: tf.ones([1]) } as never),
    ).toThrow('`mask` is "unknown"; expected one of variance,present.');
  });
});

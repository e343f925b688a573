import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { sampleConfidence, totalOverPresent } from './sample-confidence.js';
import { expectNoLeak, expectTensorClose } from './testing.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const close = { atol: 1e-6 };

describe('sampleConfidence', () => {
  const logits = tf.tensor2d([
    [0, Math.log(3)],
    [Math.log(4), 0],
  ]);

  it('is the probability of the true class', () => {
    expectTensorClose(sampleConfidence(tf.tensor1d([1, 1], 'int32'), logits), [0.75, 0.2], close);
  });

  it('is the geometric mean over a set of classes', () => {
    // σ(0) = ½ and σ(log 3) = ¾; 1 − σ(log 4) = ⅕ and ½.
    const sets = tf.tensor2d([
      [1, 1],
      [0, 0],
    ]);
    expectTensorClose(sampleConfidence(sets, logits), [Math.sqrt(0.375), Math.sqrt(0.1)], close);
  });

  it('falls with the error of a regression, by its variance', () => {
    const targets = tf.tensor1d([0.5, 3]);
    const outputs = tf.tensor2d([[0], [1]]);
    expectTensorClose(
      sampleConfidence(targets, outputs, { variance: 2, output: 'identity' }),
      [Math.exp(-0.125), Math.exp(-2)],
      close,
    );
    // sigmoid(0) = ½ is right.
    expect(sampleConfidence(targets, outputs, { variance: 2 }).dataSync()[0]).toBe(1);
  });

  it('refuses shapes that do not go together, and misspelt options', () => {
    expect(() => sampleConfidence(tf.tensor1d([0, 1]), logits, { variance: 1 })).toThrow(
      /`logits`.*\[B, 1\]/,
    );
    expect(() => sampleConfidence(tf.tensor1d([0], 'int32'), logits)).toThrow(/`labels`/);
    expect(() => sampleConfidence(tf.tensor1d([0, 1], 'int32'), logits, { varianz: 1 } as never)).toThrow(
      /varianz/,
    );
  });

  it('leaves no tensors behind', () => {
    const [targets, outputs] = [tf.tensor1d([0.5, 3]), tf.tensor2d([[0], [1]])];
    expectNoLeak(() => sampleConfidence(targets, outputs, { variance: 2 }));
  });
});

describe('totalOverPresent', () => {
  it('counts those that are there, whatever stands in the others', () => {
    const values = tf.tensor1d([0.25, NaN, 0.5]);
    expect(totalOverPresent(values, tf.tensor1d([1, 0, 1]))).toEqual({ sum: 0.75, samples: 2 });
    expect(totalOverPresent(tf.tensor1d([1, 2]))).toEqual({ sum: 3, samples: 2 });
    expect(totalOverPresent(values, tf.tensor1d([0, 0, 0]))).toEqual({ sum: 0, samples: 0 });
    expect(() => totalOverPresent(values, tf.tensor1d([1]))).toThrow(/`present`/);
  });
});

// Losses and scores of tasks in which a sample has any number of classes, against PyTorch's and scikit-learn's.
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { bernoulliDivergence } from './bernoulli-divergence.js';
import { binaryCrossEntropy } from './binary-cross-entropy.js';
import { labelSetProbability } from './label-set-probability.js';
import { measureLabelSets } from './measure.js';
import { averagePrecision, labelSetScores, microF1 } from './metrics.js';
import { expectNoLeak, expectTensorClose, gradCheck } from './testing.js';

interface WithGradient {
  readonly value: number;
  readonly gradient: number[][];
}

interface Scores {
  readonly mask: number[];
  readonly loss: number;
  readonly microF1: number;
  readonly macroF1: number;
  readonly subsetAccuracy: number;
  readonly meanAveragePrecision: number;
  readonly averagePrecision: number[];
  readonly f1: number[];
}

/** Made by test/golden/multi-label.py. */
const golden = JSON.parse(
  readFileSync(new URL('../test/golden/multi-label.json', import.meta.url), 'utf8'),
) as {
  readonly labels: number[][];
  readonly logits: number[][];
  readonly teacher: number[][];
  readonly posWeight: number[];
  readonly loss: WithGradient;
  readonly weighted: WithGradient;
  readonly divergence: WithGradient;
  readonly softened: WithGradient;
  readonly probability: number[];
  readonly scores: Scores[];
};

beforeAll(async () => {
  await loadTensorFlow({ backend: 'wasm', quiet: true });
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

describe.each(['tensorflow', 'wasm', 'cpu'])('on the %s backend', (backend) => {
  beforeAll(async () => {
    expect(await tf.setBackend(backend)).toBe(true);
  });

  const y = () => tf.tensor2d(golden.labels);
  const z = () => tf.tensor2d(golden.logits);
  const u = () => tf.tensor2d(golden.teacher);

  /** Value and gradient of a loss of the logits. */
  function expectLoss(loss: (logits: tf.Tensor2D) => tf.Scalar, { value, gradient }: WithGradient): void {
    const found = tf.valueAndGrad((logits: tf.Tensor) => loss(logits as tf.Tensor2D))(z());
    expectTensorClose(found.value, value, { rtol: 2e-6 });
    expectTensorClose(found.grad, gradient.flat(), { atol: 1e-7 });
  }

  it('binaryCrossEntropy is BCEWithLogitsLoss, with its gradient', () => {
    expectLoss((logits) => binaryCrossEntropy(y(), logits), golden.loss);
  });

  it('weights of classes are its pos_weight', () => {
    const options = { classWeights: golden.posWeight };
    expectLoss((logits) => binaryCrossEntropy(y(), logits, options), golden.weighted);
  });

  it('is exact at a logit of 0 and far out', () => {
    const loss = (logits: tf.Tensor) =>
      binaryCrossEntropy(tf.tensor2d([[1, 0, 0, 1]]), logits as tf.Tensor2D);
    const { value, grad } = tf.valueAndGrad(loss)(tf.tensor2d([[0, 0, 200, -200]]));
    expectTensorClose(value, (2 * Math.log(2) + 400) / 4, { rtol: 1e-6 });
    // (σ(z) − y) / 4
    expectTensorClose(grad, [-0.125, 0.125, 0.25, -0.25], { atol: 1e-7 });
  });

  it('bernoulliDivergence is the mean of the KL divergences, with its gradient', () => {
    expectLoss((logits) => bernoulliDivergence(u(), logits), golden.divergence);
    expectTensorClose(bernoulliDivergence(z(), z()), 0, { atol: 1e-7 });
    gradCheck((logits: tf.Tensor2D) => bernoulliDivergence(u(), logits), [z()]);
    // A teacher that is sure has no 0 · ∞.
    expectTensorClose(bernoulliDivergence(tf.tensor2d([[200, -200]]), tf.tensor2d([[0, 0]])), Math.log(2), {
      rtol: 1e-6,
    });
  });

  it('labelSetProbability is e to minus the loss of a sample', () => {
    expectTensorClose(labelSetProbability(y(), z()), golden.probability, { rtol: 1e-5 });
  });

  it('leaves nothing behind and refuses other shapes and weights', () => {
    const [labels, logits] = [y(), z()];
    expectNoLeak(() => binaryCrossEntropy(labels, logits, { classWeights: golden.posWeight }));
    expectNoLeak(() => bernoulliDivergence(labels, logits));
    expectNoLeak(() => labelSetProbability(labels, logits));
    const ids = tf.tensor1d([0], 'int32') as unknown as tf.Tensor2D;
    expect(() => binaryCrossEntropy(ids, logits)).toThrow(/`labels` has shape \[1\]; expected \[8, 5\]/);
    expect(() => labelSetProbability(ids, logits)).toThrow(/`labels` has shape \[1\]; expected \[8, 5\]/);
    expect(() => binaryCrossEntropy(labels, logits, { classWeights: [1, 2] })).toThrow(
      /`classWeights` has shape \[2\]; expected \[5\], one weight for each class/,
    );
    expect(() => binaryCrossEntropy(labels, logits, { classWeights: [1, -1, 1, 1, 1] })).toThrow(
      /`classWeights\[1\]` is -1; it must be a finite number of at least 0/,
    );
  });
});

const sets = golden.labels.map((row) => row.flatMap((has, id) => (has ? [id] : [])));
const rows = golden.logits.map((row) => Float32Array.from(row));
const ids = sets.map((_, i) => `sample ${i}`);

describe('scores', () => {
  it.each(golden.scores)('are those of scikit-learn over the samples $mask', (expected) => {
    const head = { ids, labels: sets, rows, mask: expected.mask, name: 'fused', classes: 5 };
    const { metrics, perClass, predictions } = measureLabelSets(head);
    for (const name of ['microF1', 'macroF1', 'subsetAccuracy', 'meanAveragePrecision', 'loss'] as const)
      expect(metrics[name], name).toBeCloseTo(expected[name], name === 'loss' ? 6 : 10);
    // The mean of PyTorch's e^−BCE over the samples that count.
    const rho = golden.probability.filter((_, i) => expected.mask[i]);
    expect(metrics.confidence).toBeCloseTo(rho.reduce((sum, p) => sum + p, 0) / rho.length, 6);
    expect(perClass.map(({ f1 }) => f1)).toEqual(expected.f1.map((f1) => expect.closeTo(f1, 10)));
    expect(predictions[0]).toEqual([1, 2, 3]);
    const there = sets.flatMap((_, i) => (expected.mask[i] ? [i] : []));
    expected.averagePrecision.forEach((value, id) => {
      const positive = there.map((i) => sets[i]!.includes(id));
      expect(
        averagePrecision(
          positive,
          there.map((i) => golden.logits[i]![id]!),
        ),
      ).toBeCloseTo(value, 10);
    });
  });

  it('are nothing on no sample, and name a logit that is not finite', () => {
    const head = { ids: ['a'], labels: [[0]], rows: [Float32Array.of(1, NaN)], name: 'fused', classes: 2 };
    expect(measureLabelSets({ ...head, mask: [0] }).metrics).toEqual({
      loss: NaN,
      microF1: NaN,
      macroF1: NaN,
      subsetAccuracy: NaN,
      meanAveragePrecision: NaN,
      confidence: NaN,
    });
    expect(() => measureLabelSets(head)).toThrow(/The fused logits of sample "a" are not finite/);
  });

  it('do not depend on the order in which equal scores come', () => {
    // At one threshold for all: half of them are right.
    for (const positive of [
      [true, false],
      [false, true],
    ])
      expect(averagePrecision(positive, [0.5, 0.5])).toBe(50);
    expect(averagePrecision([false, false], [1, 2])).toBe(0);
  });

  it('count by hand: two right of three true and four predicted', () => {
    const [truth, found] = [
      [[0, 1], [2]],
      [
        [0, 2],
        [2, 1],
      ],
    ];
    expect(microF1(truth!, found!)).toBeCloseTo((100 * 4) / 7, 12);
    expect(microF1([[]], [[]])).toBe(0);
    expect(labelSetScores(truth!, found!, 3)).toEqual([
      { precision: 100, recall: 100, f1: 100, support: 1 },
      { precision: 0, recall: 0, f1: 0, support: 1 },
      { precision: 50, recall: 100, f1: expect.closeTo(200 / 3, 10), support: 1 },
    ]);
    expect(() => microF1([[0]], [])).toThrow(/`predictions` has shape \[0\]/);
  });
});

// The losses where every class is a yes or no of its own.
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { expectNoLeak, expectTensorClose, gradCheck } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensembleLogits } from './ensemble-logits.js';
import { g2dLoss } from './g2d-loss.js';
import { logitDistillationLoss } from './logit-distillation.js';
import { studentLoss } from './student-loss.js';

/** Of PyTorch. */
const golden = JSON.parse(
  readFileSync(new URL('../../tensor-ops/test/golden/multi-label.json', import.meta.url), 'utf8'),
) as {
  readonly labels: number[][];
  readonly logits: number[][];
  readonly teacher: number[][];
  readonly posWeight: number[];
  readonly loss: { readonly value: number };
  readonly weighted: { readonly value: number };
  readonly divergence: { readonly value: number };
  readonly softened: { readonly value: number };
};

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const task = 'multi-label';
const labels = () => tf.tensor2d(golden.labels);
const student = () => tf.tensor2d(golden.logits);
const teacher = () => tf.tensor2d(golden.teacher);

describe('studentLoss', () => {
  it('is PyTorch’s BCEWithLogitsLoss, with its pos_weight', () => {
    expectTensorClose(studentLoss(labels(), student(), { task }), golden.loss.value, { rtol: 1e-6 });
    const options = { task, classWeights: golden.posWeight } as const;
    expectTensorClose(studentLoss(labels(), student(), options), golden.weighted.value, { rtol: 1e-6 });
  });

  it('refuses labels of another task, and smoothing', () => {
    expect(() => studentLoss(tf.tensor1d([0], 'int32'), student(), { task })).toThrow(
      /`labels` are int32; multi-label takes 1 for each class that a sample has and 0 for others, float32 \[B, C\]/,
    );
    expect(() => studentLoss(tf.tensor1d([0]), student(), { task })).toThrow(/expected \[8, 5\]/);
    expect(() => studentLoss(labels(), student())).toThrow(/`labels` are float32; classification takes/);
    expect(() => studentLoss(labels(), student(), { task, labelSmoothing: 0.1 })).toThrow(
      /`labelSmoothing` is 0\.1, but a multi-label loss has none/,
    );
  });
});

describe('logitDistillationLoss', () => {
  it('is the divergence of every class’ answer, T² times that of softened ones', () => {
    const loss = (temperature: number) => logitDistillationLoss(teacher(), student(), { task, temperature });
    expectTensorClose(loss(1), golden.divergence.value, { rtol: 2e-6 });
    expectTensorClose(loss(2), golden.softened.value, { rtol: 2e-6 });
    gradCheck((z: tf.Tensor2D) => logitDistillationLoss(teacher(), z, { task, temperature: 2 }), [student()]);
  });

  it('is over the samples that have the modality, whatever the others hold', () => {
    const broken = tf.tensor2d(golden.teacher.map((row, i) => (i === 1 ? row.map(() => NaN) : row)));
    const mask = tf.tensor1d([1, 0, 1, 1, 1, 1, 1, 1]);
    const others = [0, 2, 3, 4, 5, 6, 7];
    const expected = logitDistillationLoss(tf.gather(teacher(), others), tf.gather(student(), others), {
      task,
    });
    const found = logitDistillationLoss(broken, student(), { task, present: mask });
    expectTensorClose(found, [...expected.dataSync()], { rtol: 1e-5 });
  });
});

it('g2dLoss puts them together', () => {
  const features = tf.tensor2d([[1, 2]]).tile([8, 1]) as tf.Tensor2D;
  const inputs = {
    labels: labels(),
    student: { logits: student(), features: { a: features } },
    teachers: { a: { logits: teacher(), features: tf.zerosLike(features) } },
  };
  const { total, student: own, logit, feature } = g2dLoss(inputs, { task, alpha: 2, beta: 3 });
  expectTensorClose(own, golden.loss.value, { rtol: 1e-6 });
  expectTensorClose(logit, golden.divergence.value, { rtol: 2e-6 });
  expectTensorClose(feature, 2.5, { rtol: 1e-6 });
  expectTensorClose(total, golden.loss.value + 5 + 3 * golden.divergence.value, { rtol: 1e-6 });
  expectNoLeak(() => tf.tidy(() => g2dLoss(inputs, { task }).total));
});

describe('ensembleLogits', () => {
  const logit = (p: number): number => Math.log(p / (1 - p));
  const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

  it('has the mean of the probabilities of each class, by hand', () => {
    const [u, v] = [tf.tensor2d([[2, -1, 0]]), tf.tensor2d([[0, -3, 100]])];
    const expected = [
      [2, 0],
      [-1, -3],
    ].map(([a, b]) => logit((sigmoid(a!) + sigmoid(b!)) / 2));
    const found = ensembleLogits({ u, v }, { average: 'probabilities', task });
    // (σ(0) + 1) / 2
    expectTensorClose(found, [...expected, Math.log(3)], { atol: 1e-5 });
    expectTensorClose(ensembleLogits({ u, v }, { task }), [1, -2, 50], { atol: 1e-5 });
  });

  it('knows nothing of a sample that has no modality', () => {
    const u = tf.tensor2d([[2, -1]]);
    const present = { u: tf.tensor1d([0]) };
    const found = ensembleLogits({ u }, { average: 'probabilities', task, present });
    expectTensorClose(found, [0, 0], { atol: 1e-6 });
  });
});

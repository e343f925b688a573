import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { expectNoLeak, expectTensorClose, gradCheck } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { featureDistillationLoss } from './feature-distillation.js';
import { g2dLoss, type G2DLossInputs } from './g2d-loss.js';
import { logitDistillationLoss } from './logit-distillation.js';
import { studentLoss } from './student-loss.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'wasm', quiet: true });
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

describe.each(['tensorflow', 'wasm', 'cpu'])('on the %s backend', (backend) => {
  beforeAll(async () => {
    expect(await tf.setBackend(backend)).toBe(true);
  });

  describe('studentLoss', () => {
    it('is the cross-entropy of the fused logits, computed by hand', () => {
      const logits = tf.tensor2d([[Math.log(3), 0]]);
      expectTensorClose(studentLoss(tf.tensor1d([0], 'int32'), logits), -Math.log(0.75), { atol: 1e-6 });
    });

    it('has the right gradient', () => {
      const labels = tf.tensor1d([1, 0], 'int32');
      const logits = tf.tensor2d([
        [0.3, -1],
        [2, 0.5],
      ]);
      gradCheck((x: tf.Tensor2D) => studentLoss(labels, x), [logits]);
    });
  });

  describe('featureDistillationLoss', () => {
    const teacher = tf.tensor2d([
      [1, 2],
      [0, 0],
    ]);
    const student = tf.tensor2d([
      [2, 4],
      [0, 3],
    ]);

    it('is the mean over batch and features by default, Eq. 2 with sum: computed by hand', () => {
      // Squares 1, 4, 0, 9.
      expectTensorClose(featureDistillationLoss(teacher, student), 14 / 4, { atol: 1e-6 });
      expectTensorClose(featureDistillationLoss(teacher, student, { reduction: 'sum' }), 14 / 2, {
        atol: 1e-6,
      });
    });

    it('does not change when samples are permuted together', () => {
      const permuted = featureDistillationLoss(tf.reverse(teacher, 0), tf.reverse(student, 0));
      expectTensorClose(permuted, 14 / 4, { atol: 1e-6 });
    });

    it('has the right gradient and refuses other shapes', () => {
      for (const reduction of ['mean', 'sum'] as const) {
        gradCheck(
          (target: tf.Tensor2D, x: tf.Tensor2D) => featureDistillationLoss(target, x, { reduction }),
          [teacher, student],
        );
      }
      expect(() => featureDistillationLoss(teacher, tf.ones([2, 3]))).toThrow(/`student` has shape \[2, 3\]/);
    });
  });

  describe('logitDistillationLoss', () => {
    it('has the reference value at T = 1, and 0 for equal logits', () => {
      const teacher = tf.tensor2d([[2, 1, 0]]);
      expectTensorClose(logitDistillationLoss(teacher, tf.zeros([1, 3])), 0.266217, { atol: 1e-6 });
      expectTensorClose(logitDistillationLoss(teacher, teacher), 0, { atol: 1e-6 });
    });

    it('divides logits by T and multiplies the divergence by T²', () => {
      const expected = logitDistillationLoss(tf.tensor2d([[1, 0.5, 0]]), tf.zeros([1, 3])).dataSync()[0]! * 4;
      const actual = logitDistillationLoss(tf.tensor2d([[2, 1, 0]]), tf.zeros([1, 3]), { temperature: 2 });
      expectTensorClose(actual, expected, { rtol: 1e-5 });
    });

    it('has the teacher as target: KL is not symmetric', () => {
      // KL(p ‖ q) with p = (1/2, 1/2), q = (2/3, 1/3).
      const expected = 0.5 * Math.log(0.5 / (2 / 3)) + 0.5 * Math.log(0.5 / (1 / 3));
      const student = tf.tensor2d([[Math.log(2), 0]]);
      expectTensorClose(logitDistillationLoss(tf.zeros([1, 2]), student), expected, { atol: 1e-6 });
    });

    it('has the right gradient and refuses a temperature of 0', () => {
      const teacher = tf.tensor2d([
        [2, 1, 0],
        [0.4, -0.6, 1.2],
      ]);
      const student = tf.tensor2d([
        [0.3, -1, 2],
        [-0.2, 0.5, 0.1],
      ]);
      for (const temperature of [1, 3]) {
        gradCheck(
          (target: tf.Tensor2D, x: tf.Tensor2D) => logitDistillationLoss(target, x, { temperature }),
          [teacher, student],
        );
      }
      expect(() => logitDistillationLoss(teacher, teacher, { temperature: 0 })).toThrow(/`temperature` is 0/);
    });
  });

  describe('g2dLoss', () => {
    const inputs = (): G2DLossInputs<'audio' | 'image'> => ({
      labels: tf.tensor1d([0, 1], 'int32'),
      student: {
        logits: tf.tensor2d([
          [1, 0, -1],
          [0.2, 0.4, 0.1],
        ]),
        features: {
          audio: tf.tensor2d([[1], [2]]),
          image: tf.tensor2d([
            [0, 1],
            [1, 0],
          ]),
        },
      },
      teachers: {
        audio: {
          logits: tf.tensor2d([
            [3, 0, 0],
            [0, 2, 0],
          ]),
          features: tf.tensor2d([[0], [0]]),
        },
        image: {
          logits: tf.tensor2d([
            [1, 1, 1],
            [0, 1, 0],
          ]),
          features: tf.tensor2d([
            [0, 0],
            [0, 0],
          ]),
        },
      },
    });

    it('is L_S + α Σ L_feat + β Σ L_logit', () => {
      const all = inputs();
      const { total, student, feature, logit } = g2dLoss(all, { alpha: 0.5, beta: 2 });
      const value = (scalar: tf.Scalar) => scalar.dataSync()[0]!;
      // Features: (1 + 4) / 2 for audio, (1 + 1) / 4 for image.
      expect(value(feature)).toBeCloseTo(2.5 + 0.5, 6);
      const logits = (['audio', 'image'] as const).map((m) =>
        logitDistillationLoss(all.teachers[m].logits, all.student.logits),
      );
      expect(value(logit)).toBeCloseTo(value(logits[0]!) + value(logits[1]!), 6);
      expect(value(student)).toBeCloseTo(value(studentLoss(all.labels, all.student.logits)), 6);
      expect(value(total)).toBeCloseTo(value(student) + 0.5 * value(feature) + 2 * value(logit), 5);
    });

    it('with α = β = 0 is Eq. 1', () => {
      const all = inputs();
      const { total } = g2dLoss(all, { alpha: 0, beta: 0 });
      expectTensorClose(total, studentLoss(all.labels, all.student.logits), { atol: 0 });
    });

    it('sends gradients to features and logits of the student', () => {
      const all = inputs();
      gradCheck(
        (logits: tf.Tensor2D, audio: tf.Tensor2D, image: tf.Tensor2D) =>
          g2dLoss(
            { ...all, student: { logits, features: { audio, image } } },
            { alpha: 0.7, beta: 1.3, temperature: 2 },
          ).total,
        [all.student.logits, all.student.features.audio, all.student.features.image],
      );
    });

    it('leaves nothing behind', () => {
      const all = inputs();
      expectNoLeak(() => ({ ...g2dLoss(all) }));
    });

    it('names a teacher that is missing or too many, and impossible weights', () => {
      const all = inputs();
      const { audio } = all.teachers;
      expect(() => g2dLoss({ ...all, teachers: { audio } as never })).toThrow(
        /`teachers` has no modality "image"/,
      );
      expect(() => g2dLoss({ ...all, teachers: { ...all.teachers, text: audio } as never })).toThrow(
        /`student.features` has no modality "text"/,
      );
      const empty = { ...all, student: { ...all.student, features: {} }, teachers: {} };
      expect(() => g2dLoss(empty as never)).toThrow(/at least one modality/);
      expect(() => g2dLoss(all, { alpha: -1 })).toThrow(/`alpha` is -1/);
      expect(() => g2dLoss(all, { beta: NaN })).toThrow(/`beta` is NaN/);
    });
  });
});

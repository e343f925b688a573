import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { crossEntropy, klDivergence } from '@g2d/tensor-ops';
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

    it('refuses labels that are no class ids', () => {
      expect(() => studentLoss(tf.tensor1d([0, 1]), tf.zeros([2, 3]))).toThrow(
        /`labels` are float32; classification takes class ids, int32 \[B\]/,
      );
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

    it('takes another task loss, and shares of a larger batch', () => {
      const { feature, logit } = g2dLoss(inputs());
      const audio = g2dLoss(inputs(), { alpha: { audio: 1, image: 0 }, beta: { audio: 1, image: 0 } });
      const found = g2dLoss(
        { ...inputs(), taskLoss: tf.scalar(7), shares: { audio: 3, image: 0.5 } },
        { alpha: 2, beta: 1 },
      );
      const [a, b] = [audio.feature, audio.logit].map((loss) => loss.dataSync()[0]!);
      const [f, l] = [feature, logit].map((loss) => loss.dataSync()[0]!);
      const [expectedFeature, expectedLogit] = [3 * a! + (f! - a!) / 2, 3 * b! + (l! - b!) / 2];
      expectTensorClose(found.student, 7, { atol: 0 });
      expectTensorClose(found.feature, expectedFeature, { rtol: 1e-5 });
      expectTensorClose(found.logit, expectedLogit, { rtol: 1e-5 });
      expectTensorClose(found.total, 7 + 2 * expectedFeature + expectedLogit, { rtol: 1e-5 });
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

    it('takes one weight for each modality, and tells the parts without weights', () => {
      const all = inputs();
      const value = (scalar: tf.Scalar) => scalar.dataSync()[0]!;
      const { total, student, feature, logit } = g2dLoss(all, {
        alpha: { audio: 0.5, image: 3 },
        beta: { audio: 0, image: 2 },
      });
      // Features as above: 2.5 for audio, 0.5 for image. The audio teacher's logits are left out.
      expect(value(feature)).toBeCloseTo(3, 6);
      const image = value(logitDistillationLoss(all.teachers.image.logits, all.student.logits));
      expect(value(logit)).toBeCloseTo(image, 6);
      expect(value(total)).toBeCloseTo(value(student) + 0.5 * 2.5 + 3 * 0.5 + 2 * image, 5);
      expectNoLeak(() => ({
        ...g2dLoss(all, { alpha: { audio: 1, image: 2 }, beta: { audio: 0, image: 0 } }),
      }));
    });

    it('with equal weights is the loss with one weight', () => {
      const all = inputs();
      const { total } = g2dLoss(all, { alpha: { audio: 2, image: 2 }, beta: { audio: 0, image: 0 } });
      expectTensorClose(total, g2dLoss(all, { alpha: 2, beta: 0 }).total, { rtol: 1e-6 });
    });

    it('with β = 0 is UMT: cross-entropy and λ mean squares, or λ sums as in its original form', () => {
      const all = inputs();
      const crossEntropy = studentLoss(all.labels, all.student.logits).dataSync()[0]!;
      const umt = g2dLoss(all, { alpha: 50, beta: 0 });
      expectTensorClose(umt.total, crossEntropy + 50 * (5 / 2 + 2 / 4), { rtol: 1e-6 });
      expectTensorClose(umt.logit, 0, { atol: 0 });
      const l2 = g2dLoss(all, { alpha: 50, beta: 0, featureReduction: 'sum' });
      expectTensorClose(l2.total, crossEntropy + 50 * (5 / 2 + 2 / 2), { rtol: 1e-6 });
    });

    it('without masks and with one weight runs Eq. 4 and no operation more', async () => {
      const { labels, student, teachers } = inputs();
      const modalities = ['audio', 'image'] as const;
      const equation = (logits: tf.Tensor2D): tf.Scalar =>
        tf.tidy(() => {
          const task = crossEntropy(labels as tf.Tensor1D, logits);
          const features = modalities.map((m) =>
            tf.mean(tf.square(tf.sub(student.features[m], teachers[m].features))),
          );
          const feature = tf.mul(tf.addN(features), 0.7);
          const divergences = modalities.map((m) =>
            tf.mul(klDivergence(tf.div(teachers[m].logits, 2), tf.div(logits, 2)), 4),
          );
          const logit = tf.mul(tf.addN(divergences), 1.3);
          return tf.addN([task, feature, logit]) as tf.Scalar;
        });
      const ours = (logits: tf.Tensor2D): tf.Scalar =>
        g2dLoss(
          { labels, student: { ...student, logits }, teachers },
          { alpha: 0.7, beta: 1.3, temperature: 2 },
        ).total;
      const run = async (loss: (logits: tf.Tensor2D) => tf.Scalar) => {
        let bits: number[][] = [];
        const { kernels } = await tf.profile(() => {
          const { value, grad } = tf.valueAndGrad((x) => loss(x as tf.Tensor2D))(student.logits);
          bits = [[...value.dataSync()], [...grad.dataSync()]];
          return value;
        });
        return { bits, kernels: kernels.map(({ name }) => name).sort() };
      };
      expect(await run(ours)).toEqual(await run(equation));
    });

    it('is right for one and for three modalities', () => {
      const { labels, student, teachers } = inputs();
      const one = {
        labels,
        student: { ...student, features: { x: student.features.audio } },
        teachers: { x: teachers.audio },
      };
      const three = {
        labels,
        student: { ...student, features: { ...student.features, text: student.features.audio } },
        teachers: { ...teachers, text: { logits: teachers.image.logits, features: tf.tensor2d([[2], [2]]) } },
      };
      const value = (scalar: tf.Scalar) => scalar.dataSync()[0]!;
      const [audio, image] = [teachers.audio, teachers.image].map((teacher) =>
        value(logitDistillationLoss(teacher.logits, student.logits)),
      ) as [number, number];
      const task = value(studentLoss(labels, student.logits));
      expect(value(g2dLoss(one).total)).toBeCloseTo(task + 2.5 + audio, 5);
      expect(value(g2dLoss(three).total)).toBeCloseTo(task + 2.5 + 0.5 + 0.5 + audio + 2 * image, 5);
      gradCheck(
        (logits: tf.Tensor2D, x: tf.Tensor2D) =>
          g2dLoss({ ...one, student: { logits, features: { x } } }, { alpha: { x: 0.5 } }).total,
        [student.logits, student.features.audio],
      );
      const alpha = { audio: 1, image: 0.25, text: 2 };
      gradCheck(
        (logits: tf.Tensor2D, audio: tf.Tensor2D, image: tf.Tensor2D, text: tf.Tensor2D) =>
          g2dLoss(
            { ...three, student: { logits, features: { audio, image, text } } },
            { alpha, temperature: 2 },
          ).total,
        [student.logits, student.features.audio, student.features.image, tf.tensor2d([[1], [-1]])],
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
      expect(() => g2dLoss(all, { alpha: { audio: 1, image: -1 } })).toThrow(/`alpha.image` is -1/);
      expect(() => g2dLoss(all, { alpha: { audio: 1 } as never })).toThrow(/`alpha` has no modality "image"/);
      expect(() => g2dLoss(all, { beta: { audio: 1, image: 1, text: 1 } as never })).toThrow(
        /`student.features` has no modality "text"/,
      );
      expect(() => g2dLoss(all, { featureReduction: 'median' as never })).toThrow(
        /`featureReduction` is "median"; it must be 'mean' or 'sum'/,
      );
      expect(() => g2dLoss(all, { task: 'ranking' as never })).toThrow(/`task` is "ranking"/);
    });

    it('names features that have another number of samples', () => {
      const all = inputs();
      const features = { ...all.student.features, audio: tf.zeros<tf.Rank.R2>([3, 1]) };
      expect(() => g2dLoss({ ...all, student: { ...all.student, features } })).toThrow(
        /`student.features.audio` has shape \[3, 1\]; expected \[B, D\] with B = 2/,
      );
    });

    it('does not compile with a misspelt modality', () => {
      const all = inputs();
      // @ts-expect-error no modality "imgae"
      expect(() => g2dLoss(all, { alpha: { audio: 1, imgae: 1 } })).toThrow(/"image"/);
      // @ts-expect-error no modality "imgae"
      expect(() => g2dLoss<'audio' | 'image'>({ ...all, present: { imgae: tf.ones([2]) } })).toThrow(
        /"imgae"/,
      );
    });
  });
});

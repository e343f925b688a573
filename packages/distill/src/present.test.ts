// Losses of samples that lack modalities.
import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { expectNoLeak, expectTensorClose, gradCheck } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { featureDistillationLoss } from './feature-distillation.js';
import { g2dLoss } from './g2d-loss.js';
import { logitDistillationLoss } from './logit-distillation.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'wasm', quiet: true });
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

const rows = (...values: number[][]): tf.Tensor2D => tf.tensor2d(values);
const value = (scalar: tf.Scalar): number => scalar.dataSync()[0]!;

describe.each(['tensorflow', 'wasm', 'cpu'])('on the %s backend', (backend) => {
  beforeAll(async () => {
    expect(await tf.setBackend(backend)).toBe(true);
  });

  const student = rows([0.3, -1, 2], [-0.2, 0.5, 0.1], [0.7, 0.6, -1.1]);
  const teacher = rows([2, 1, 0], [0.4, -0.6, 1.2], [1.5, -2, 0.25]);
  // What must not be read: the second sample has no such modality.
  const broken = rows([2, 1, 0], [NaN, Infinity, -Infinity], [1.5, -2, 0.25]);
  const present = tf.tensor1d([1, 0, 1]);
  const nobody = tf.zeros<tf.Rank.R1>([3]);
  const everybody = tf.ones<tf.Rank.R1>([3]);

  const losses = {
    'features, mean': (target: tf.Tensor2D, x: tf.Tensor2D, present?: tf.Tensor1D) =>
      featureDistillationLoss(target, x, present ? { present } : {}),
    'features, sum': (target: tf.Tensor2D, x: tf.Tensor2D, present?: tf.Tensor1D) =>
      featureDistillationLoss(target, x, { reduction: 'sum', ...(present && { present }) }),
    logits: (target: tf.Tensor2D, x: tf.Tensor2D, present?: tf.Tensor1D) =>
      logitDistillationLoss(target, x, present ? { present } : {}),
    'logits, T = 3': (target: tf.Tensor2D, x: tf.Tensor2D, present?: tf.Tensor1D) =>
      logitDistillationLoss(target, x, { temperature: 3, ...(present && { present }) }),
    'regression logits': (target: tf.Tensor2D, x: tf.Tensor2D, present?: tf.Tensor1D) =>
      tf.tidy(() =>
        logitDistillationLoss(tf.slice2d(target, [0, 0], [-1, 1]), tf.slice2d(x, [0, 0], [-1, 1]), {
          task: 'regression',
          ...(present && { present }),
        }),
      ),
  };

  describe.each(Object.entries(losses))('the loss of %s', (_, loss) => {
    it('is that of the samples that have the modality', () => {
      const some = (x: tf.Tensor2D): tf.Tensor2D => tf.gather(x, tf.tensor1d([0, 2], 'int32'));
      expectTensorClose(loss(teacher, student, present), value(loss(some(teacher), some(student))), {
        rtol: 1e-6,
      });
      expectTensorClose(loss(teacher, student, everybody), value(loss(teacher, student)), { rtol: 1e-6 });
    });

    it('reads nothing of the others, in value and gradient', () => {
      const absentStudent = rows([0.3, -1, 2], [NaN, NaN, Infinity], [0.7, 0.6, -1.1]);
      const both = tf.valueAndGrads((target, x) => loss(target as tf.Tensor2D, x as tf.Tensor2D, present));
      const clean = both([teacher, student]);
      for (const inputs of [
        [broken, student],
        [teacher, absentStudent],
        [broken, absentStudent],
      ]) {
        const { value, grads } = both(inputs);
        expect([...value.dataSync()]).toEqual([...clean.value.dataSync()]);
        for (const [i, gradient] of grads.entries()) {
          expect([...gradient.dataSync()]).toEqual([...clean.grads[i]!.dataSync()]);
          expect(Array.from(gradient.dataSync().slice(3, 6), Math.abs)).toEqual([0, 0, 0]);
        }
      }
    });

    it('is 0 with gradient 0 where nobody has it', () => {
      const { value, grads } = tf.valueAndGrads((target, x) =>
        loss(target as tf.Tensor2D, x as tf.Tensor2D, nobody),
      )([broken, student]);
      expectTensorClose(value, 0, { atol: 0 });
      for (const gradient of grads) expectTensorClose(gradient, tf.zeros([3, 3]), { atol: 0 });
    });

    it('has the right gradient in teacher and student', () => {
      for (const mask of [undefined, present]) {
        gradCheck((target: tf.Tensor2D, x: tf.Tensor2D) => loss(target, x, mask), [teacher, student]);
      }
    });

    it('leaves nothing behind and refuses a mask of another length', () => {
      expectNoLeak(() => loss(teacher, student, present));
      expect(() => loss(teacher, student, tf.ones<tf.Rank.R1>([2]))).toThrow(
        /`present` has shape \[2\]; expected \[B\] with B = 3, 1 where the modality is present/,
      );
    });
  });

  it('gives the values of PyTorch on the rows that are present', () => {
    // torch.nn.functional.kl_div(log_softmax(x[keep] / T), softmax(t[keep] / T), reduction='batchmean') * T * T
    const expected = [
      [1, 0.867952228, [-0.2585077, -0.1021662, 0.3606739, 0, 0, 0, -0.1382066, 0.2070783, -0.06887171]],
      [3, 1.34856427, [-0.2328724, -0.1968482, 0.4297205, 0, 0, 0, -0.1649947, 0.3396012, -0.1746065]],
    ] as const;
    for (const [temperature, loss, gradient] of expected) {
      const { value, grad } = tf.valueAndGrad((x) =>
        logitDistillationLoss(broken, x as tf.Tensor2D, { temperature, present }),
      )(student);
      expectTensorClose(value, loss, { rtol: 2e-6 });
      expectTensorClose(grad, gradient, { atol: 1e-6 });
    }
  });

  describe('g2dLoss', () => {
    const batch = {
      labels: tf.tensor1d([2, 1, 0], 'int32'),
      student: {
        logits: student,
        features: { audio: rows([1], [2], [3]), image: rows([0, 1], [1, 0], [2, 2]) },
      },
      teachers: {
        audio: { logits: broken, features: rows([0], [NaN], [0]) },
        image: { logits: teacher, features: tf.zeros<tf.Rank.R2>([3, 2]) },
      },
    };

    it('masks each modality by itself', () => {
      const { total, student: task, feature, logit } = g2dLoss({ ...batch, present: { audio: present } });
      // (1 + 9) / 2 for audio, (1 + 1 + 8) / 6 for image.
      expectTensorClose(feature, 5 + 10 / 6, { rtol: 1e-6 });
      const logits = value(losses.logits(broken, student, present)) + value(losses.logits(teacher, student));
      expectTensorClose(logit, logits, { rtol: 1e-6 });
      expectTensorClose(total, value(task) + 5 + 10 / 6 + logits, { rtol: 1e-6 });
      expectNoLeak(() => ({ ...g2dLoss({ ...batch, present: { audio: present, image: everybody } }) }));
    });

    it('has the right gradient with masks and weights, and none for a modality that nobody has', () => {
      const total = (logits: tf.Tensor2D, audio: tf.Tensor2D, image: tf.Tensor2D, mask: tf.Tensor1D) =>
        g2dLoss(
          { ...batch, student: { logits, features: { audio, image } }, present: { audio: mask } },
          { alpha: { audio: 0.5, image: 2 }, beta: 0.7, temperature: 2, featureReduction: 'sum' },
        ).total;
      const { audio, image } = batch.student.features;
      gradCheck(
        (logits: tf.Tensor2D, a: tf.Tensor2D, i: tf.Tensor2D) => total(logits, a, i, present),
        [student, audio, image],
      );
      const [, gradient] = tf.grads((logits, a, i) =>
        total(logits as tf.Tensor2D, a as tf.Tensor2D, i as tf.Tensor2D, nobody),
      )([student, audio, image]);
      expectTensorClose(gradient!, tf.zeros([3, 1]), { atol: 0 });
    });

    it('names the modality of a mask that does not fit', () => {
      expect(() => g2dLoss({ ...batch, present: { audio: tf.ones<tf.Rank.R1>([4]) } })).toThrow(
        /`present.audio` has shape \[4\]; expected \[B\] with B = 3/,
      );
      expect(() => g2dLoss({ ...batch, present: { text: present } as never })).toThrow(
        /`student.features` has no modality "text"/,
      );
    });
  });
});

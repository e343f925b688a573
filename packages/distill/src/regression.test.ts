// One output in place of classes.
import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { expectNoLeak, expectTensorClose, gradCheck } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { g2dLoss } from './g2d-loss.js';
import { logitDistillationLoss } from './logit-distillation.js';
import { studentLoss } from './student-loss.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'wasm', quiet: true });
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

const task = 'regression';

describe.each(['tensorflow', 'wasm', 'cpu'])('on the %s backend', (backend) => {
  beforeAll(async () => {
    expect(await tf.setBackend(backend)).toBe(true);
  });

  const logits = tf.tensor2d([[0.5], [-2], [1.5]]);
  const teacher = tf.tensor2d([[1.2], [-0.7], [0.1]]);
  const targets = tf.tensor1d([0.9, 0.2, 0.55]);

  describe('studentLoss', () => {
    it('is the mean square of sigmoid and target, computed by hand', () => {
      // sigmoid(0) = 1/2, sigmoid(ln 3) = 3/4.
      const z = tf.tensor2d([[0], [Math.log(3)]]);
      const loss = studentLoss(tf.tensor1d([0.2, 1]), z, { task });
      expectTensorClose(loss, (0.3 ** 2 + 0.25 ** 2) / 2, { rtol: 1e-5 });
    });

    it('has PyTorch’s value and gradient', () => {
      // torch.nn.functional.mse_loss(torch.sigmoid(z).squeeze(1), y)
      const { value, grad } = tf.valueAndGrad((x) => studentLoss(targets, x as tf.Tensor2D, { task }))(
        logits,
      );
      expectTensorClose(value, 0.0517176799, { rtol: 2e-6 });
      expectTensorClose(grad, [-0.04348205, -0.005655451, 0.02660519], { rtol: 1e-5 });
      gradCheck((x: tf.Tensor2D) => studentLoss(targets, x, { task }), [logits]);
      expectNoLeak(() => studentLoss(targets, logits, { task }));
    });

    it('refuses class ids, several outputs and another number of targets', () => {
      expect(() => studentLoss(tf.tensor1d([0, 1, 0], 'int32'), logits, { task })).toThrow(
        /`labels` are int32; regression takes targets, float32 \[B\]/,
      );
      expect(() => studentLoss(targets, tf.zeros([3, 2]), { task })).toThrow(
        /`logits` has shape \[3, 2\]; expected \[B, 1\], one output for regression/,
      );
      expect(() => studentLoss(tf.tensor1d([0.5]), logits, { task })).toThrow(
        /`labels` has shape \[1\]; expected \[B\] with B = 3/,
      );
    });
  });

  describe('logitDistillationLoss', () => {
    it('has PyTorch’s value and gradient', () => {
      // torch.nn.functional.mse_loss(torch.sigmoid(z), torch.sigmoid(u))
      const { value, grad } = tf.valueAndGrad((x) =>
        logitDistillationLoss(teacher, x as tf.Tensor2D, { task }),
      )(logits);
      expectTensorClose(value, 0.0507166125, { rtol: 2e-6 });
      expectTensorClose(grad, [-0.02288395, -0.01488174, 0.02909304], { rtol: 1e-5 });
      gradCheck(
        (target: tf.Tensor2D, x: tf.Tensor2D) => logitDistillationLoss(target, x, { task }),
        [teacher, logits],
      );
    });

    it('has no temperature', () => {
      expect(() => logitDistillationLoss(teacher, logits, { task, temperature: 2 })).toThrow(
        /`temperature` is 2, but regression has no distribution to soften/,
      );
      expectTensorClose(logitDistillationLoss(teacher, logits, { task, temperature: 1 }), 0.0507166125, {
        rtol: 2e-6,
      });
    });
  });

  describe('g2dLoss', () => {
    const batch = {
      labels: targets,
      student: { logits, features: { table: tf.tensor2d([[1], [2], [3]]) } },
      teachers: { table: { logits: teacher, features: tf.zeros<tf.Rank.R2>([3, 1]) } },
    };

    it('puts the regression forms together', () => {
      const { total, student, feature, logit } = g2dLoss(batch, { task, alpha: 0.5, beta: 2 });
      expectTensorClose(student, 0.0517176799, { rtol: 2e-6 });
      expectTensorClose(feature, 14 / 3, { rtol: 1e-6 });
      expectTensorClose(logit, 0.0507166125, { rtol: 2e-6 });
      expectTensorClose(total, 0.0517176799 + 7 / 3 + 2 * 0.0507166125, { rtol: 1e-6 });
      const present = { table: tf.tensor1d([1, 0, 1]) };
      gradCheck(
        (z: tf.Tensor2D, table: tf.Tensor2D) =>
          g2dLoss({ ...batch, student: { logits: z, features: { table } }, present }, { task, beta: 3 })
            .total,
        [logits, batch.student.features.table],
      );
    });

    it('refuses a temperature also where no logits are distilled', () => {
      expect(() => g2dLoss(batch, { task, beta: 0, temperature: 2 })).toThrow(/`temperature` is 2/);
    });
  });
});

import * as tf from '@tensorflow/tfjs-core';
import { klDivergence, OptionError } from '@g2d/tensor-ops';

/** Softness of the distributions. */
export interface LogitDistillationOptions {
  /** T > 0; default 1, as in the paper. */
  readonly temperature?: number;
}

/**
 * Divergence of the student's fused prediction from a unimodal teacher's prediction.
 *
 * L_logit = T² · (1/B) Σ_i KL( softmax(u_i^T / T) ‖ softmax(z_i / T) )
 *
 * @param teacher Logits u^T of the unimodal teacher, float32 `[B, C]`.
 * @param student Fused logits z of the student, float32 `[B, C]` — not those of the modality alone.
 * @returns Scalar ≥ 0; dispose it.
 * @throws {ShapeError} If the shapes differ.
 * @throws {OptionError} If the temperature is not positive.
 * @example
 * logitDistillationLoss(tf.tensor2d([[2, 1, 0]]), tf.tensor2d([[0, 0, 0]])).print(); // 0.2662168
 * @see G2D, Sec. 3.1, Eq. 3; the factor T² as in the released code
 */
export function logitDistillationLoss(
  teacher: tf.Tensor2D,
  student: tf.Tensor2D,
  { temperature = 1 }: LogitDistillationOptions = {},
): tf.Scalar {
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new OptionError(
      `\`temperature\` is ${temperature}; it must be a finite number above 0. The paper uses 1.`,
      {
        option: 'temperature',
        value: temperature,
        accepted: 'a finite number > 0',
      },
    );
  }
  return tf.tidy(() =>
    tf.mul(klDivergence(tf.div(teacher, temperature), tf.div(student, temperature)), temperature ** 2),
  );
}

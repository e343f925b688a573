import { checkKeys } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { assertSameShape, assertShape } from '@g2d/tensor-ops';
import { assertOneOf } from './options.js';
import { meanOverPresent, type PresentOption } from './present.js';

/** How squared differences are put together, and over which samples. */
export interface FeatureDistillationOptions extends PresentOption {
  /**
   * `'mean'` (default): over batch and features, as the released code does. `'sum'`: summed over the D features and
   * averaged over the batch, as Eq. 2 is written: D times as large.
   */
  readonly reduction?: 'mean' | 'sum';
}

/**
 * Distance between a teacher's features and the student's features of the same modality.
 *
 * L_feat = (1/n) Σ_i ‖f_i − f_i^T‖² over the n samples that have the modality, divided by D with `reduction: 'mean'`
 *
 * @param teacher Features of the frozen teacher, float32 `[B, D]`.
 * @param student Features of the student's encoder, float32 `[B, D]`.
 * @returns Scalar ≥ 0; dispose it.
 * @throws {ShapeError} If the shapes differ.
 * @throws {OptionError} If the reduction is another.
 * @example
 * featureDistillationLoss(tf.tensor2d([[0, 0]]), tf.tensor2d([[3, 4]])).print(); // 12.5
 * @see G2D, Sec. 3.1, Eq. 2; released code, `student.py` (mean over all entries)
 */
export function featureDistillationLoss(
  teacher: tf.Tensor2D,
  student: tf.Tensor2D,
  options: FeatureDistillationOptions = {},
): tf.Scalar {
  const { reduction = 'mean', present } = checkKeys(
    options,
    { reduction: true, present: true },
    'featureDistillationLoss',
  );
  assertOneOf('reduction', reduction, ['mean', 'sum']);
  assertShape('teacher', teacher, [null, null], '[B, D]');
  assertSameShape('student', student, 'teacher', teacher);
  return tf.tidy(() => {
    const mean = meanOverPresent(teacher, student, present, (target, features) =>
      tf.mean(tf.square(tf.sub(features, target))),
    );
    return (reduction === 'mean' ? mean : tf.mul(mean, teacher.shape[1])) as tf.Scalar;
  });
}

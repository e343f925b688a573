import * as tf from '@tensorflow/tfjs-core';
import { OptionError, UnknownModalityError } from '@g2d/tensor-ops';
import { featureDistillationLoss, type FeatureDistillationOptions } from './feature-distillation.js';
import { logitDistillationLoss, type LogitDistillationOptions } from './logit-distillation.js';
import { studentLoss } from './student-loss.js';

/** What one frozen teacher says about a batch. */
export interface TeacherOutputs {
  /** u^T `[B, C]`. */
  readonly logits: tf.Tensor2D;
  /** f^T `[B, D]`. */
  readonly features: tf.Tensor2D;
}

/** A batch as the loss sees it. */
export interface G2DLossInputs<M extends string> {
  /** int32 `[B]`. */
  readonly labels: tf.Tensor1D;
  readonly student: {
    /** Fused logits z `[B, C]`. */
    readonly logits: tf.Tensor2D;
    /** f_m `[B, D_m]`. */
    readonly features: Readonly<Record<M, tf.Tensor2D>>;
  };
  readonly teachers: Readonly<Record<M, TeacherOutputs>>;
}

/** Weights of the parts. */
export interface G2DLossOptions extends LogitDistillationOptions {
  /** Weight α of the feature losses; default 1. 0 leaves them out. */
  readonly alpha?: number;
  /** Weight β of the logit losses; default 1. 0 leaves them out (with α > 0: UMT). */
  readonly beta?: number;
  /** Reduction of the feature losses; default `'mean'`. */
  readonly featureReduction?: FeatureDistillationOptions['reduction'];
}

/** The loss and its parts before weighting. */
export interface G2DLoss {
  readonly total: tf.Scalar;
  /** L_S. */
  readonly student: tf.Scalar;
  /** Σ_m L_feat^m. */
  readonly feature: tf.Scalar;
  /** Σ_m L_logit^m. */
  readonly logit: tf.Scalar;
}

/**
 * The loss of Gradient-Guided Distillation.
 *
 * L = L_S + α Σ_m L_feat^m + β Σ_m L_logit^m
 *
 * @param inputs Labels, the student's outputs and the teachers' outputs on the same batch; any number of modalities.
 * @returns The total and its parts, four scalars; dispose them. A part with weight 0 is not computed and reads 0.
 * @throws {UnknownModalityError} If student and teachers do not have the same modalities.
 * @throws {OptionError} If a weight is negative or not finite.
 * @throws {ShapeError} If shapes differ.
 * @example
 * const { total } = g2dLoss({ labels, student: { logits, features: { audio, image } }, teachers });
 * @see G2D, Sec. 3.1, Eq. 4
 */
export function g2dLoss<M extends string>(
  { labels, student, teachers }: G2DLossInputs<M>,
  { alpha = 1, beta = 1, temperature = 1, featureReduction = 'mean' }: G2DLossOptions = {},
): G2DLoss {
  for (const [option, value] of Object.entries({ alpha, beta })) {
    if (!(value >= 0 && Number.isFinite(value))) {
      throw new OptionError(
        `\`${option}\` is ${value}; it must be a finite number of at least 0. The paper uses 1.`,
        {
          option,
          value,
          accepted: 'a finite number ≥ 0',
        },
      );
    }
  }
  const modalities = Object.keys(student.features) as M[];
  const known = Object.keys(teachers);
  if (modalities.length === 0) {
    throw new OptionError('`student.features` is empty; the loss needs at least one modality.', {
      option: 'student.features',
      value: student.features,
      accepted: 'one modality or more',
    });
  }
  for (const modality of modalities) {
    if (!known.includes(modality)) throw new UnknownModalityError({ modality, known, where: '`teachers`' });
  }
  for (const modality of known) {
    if (!(modality in student.features)) {
      throw new UnknownModalityError({ modality, known: modalities, where: '`student.features`' });
    }
  }
  return tf.tidy(() => {
    const sum = (weight: number, loss: (modality: M) => tf.Scalar): tf.Scalar =>
      weight === 0 ? tf.scalar(0) : (tf.addN(modalities.map(loss)) as tf.Scalar);
    const task = studentLoss(labels, student.logits);
    const feature = sum(alpha, (m) =>
      featureDistillationLoss(teachers[m].features, student.features[m], { reduction: featureReduction }),
    );
    const logit = sum(beta, (m) =>
      logitDistillationLoss(teachers[m].logits, student.logits, { temperature }),
    );
    const total = tf.addN([task, tf.mul(feature, alpha), tf.mul(logit, beta)]) as tf.Scalar;
    return { total, student: task, feature, logit };
  });
}

import * as tf from '@tensorflow/tfjs-core';
import { checkKeys, OptionError, UnknownModalityError, type Labels, type PerModality } from '@g2d/core';
import { assertShape } from '@g2d/tensor-ops';
import { featureDistillationLoss, type FeatureDistillationOptions } from './feature-distillation.js';
import {
  assertTemperature,
  logitDistillationLoss,
  type LogitDistillationOptions,
} from './logit-distillation.js';
import { assertOneOf, assertTask } from './options.js';
import { assertMasks, type PresenceMasks } from './present.js';
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
  /** int32 `[B]`; for regression float32 `[B]` in [0, 1]; for multi-label float32 `[B, C]` of 0 and 1. */
  readonly labels: Labels;
  readonly student: {
    /** Fused logits z `[B, C]`; for regression `[B, 1]`. */
    readonly logits: tf.Tensor2D;
    /** f_m `[B, D_m]`. */
    readonly features: PerModality<M, tf.Tensor2D>;
  };
  readonly teachers: PerModality<M, TeacherOutputs>;
  /**
   * Presence masks, float32 `[B]` of 0 and 1: a modality's losses are means over the samples that have it, and 0 if none has. What student
   * and teacher give for the others does not matter. A modality without a mask is present in every sample.
   */
  readonly present?: PresenceMasks<M>;
  /** L_S, if it is another than `studentLoss` of these: with weights of classes, or a share of a larger batch. */
  readonly taskLoss?: tf.Scalar;
  /** What the losses of each modality are multiplied by: its share of a larger batch. Default: 1. */
  readonly shares?: PerModality<M, number>;
}

/** Weights of the parts, and what the losses take. */
export interface G2DLossOptions<M extends string = string> extends Omit<LogitDistillationOptions, 'present'> {
  /** Weight α of the feature losses, one for all or one for each modality; default 1. 0 leaves a loss out. */
  readonly alpha?: number | PerModality<M, number>;
  /**
   * Weight β of the logit losses, one for all or one for each modality; default 1. 0 leaves a loss out; `beta: 0` with α = λ is UMT.
   */
  readonly beta?: number | PerModality<M, number>;
  /** Reduction of the feature losses; default `'mean'`. */
  readonly featureReduction?: FeatureDistillationOptions['reduction'];
}

/** The loss and its parts before weighting. */
export interface G2DLoss {
  readonly total: tf.Scalar;
  /** L_S. */
  readonly student: tf.Scalar;
  /** Σ_m L_feat^m over the modalities whose weight is not 0. */
  readonly feature: tf.Scalar;
  /** Σ_m L_logit^m over the modalities whose weight is not 0. */
  readonly logit: tf.Scalar;
}

/**
 * The loss of Gradient-Guided Distillation.
 *
 * L = L_S + Σ_m α_m L_feat^m + Σ_m β_m L_logit^m
 *
 * The parts are sums without weights, also with one weight for each modality: they say how far student and teachers are apart, whatever
 * the weights, and runs with other weights compare. `total` is then not to be had from them.
 *
 * @param inputs Labels, the student's outputs and the teachers' outputs on the same batch; any number of modalities.
 * @returns The total and its parts, four scalars; dispose them. A loss with weight 0 is not computed; a part of nothing else reads 0.
 * @throws {UnknownModalityError} If student, teachers, weights or masks name another modality, or weights lack one.
 * @throws {OptionError} If a weight is negative or not finite, a temperature other than 1 is given for regression, or labels have a
 * type that the task has not.
 * @throws {ShapeError} If shapes differ.
 * @example
 * const { total } = g2dLoss({ labels, student: { logits, features: { audio, image } }, teachers });
 * const umt = g2dLoss({ labels, student, teachers }, { alpha: 50, beta: 0 });
 * @see G2D, Sec. 3.1, Eq. 4
 */
export function g2dLoss<M extends string>(
  inputs: G2DLossInputs<M>,
  options: G2DLossOptions<NoInfer<M>> = {},
): G2DLoss {
  const {
    alpha = 1,
    beta = 1,
    temperature = 1,
    featureReduction = 'mean',
    task = 'classification',
    output = 'sigmoid',
  } = checkKeys(
    options,
    { alpha: true, beta: true, temperature: true, featureReduction: true, task: true, output: true },
    'g2dLoss',
  );
  const {
    labels,
    student,
    teachers,
    present,
    taskLoss: given,
    shares,
  } = checkKeys(
    inputs,
    { labels: true, student: true, teachers: true, present: true, taskLoss: true, shares: true },
    'g2dLoss',
  );
  assertTask(task);
  assertTemperature(temperature, task);
  assertOneOf('featureReduction', featureReduction, ['mean', 'sum']);
  const modalities = Object.keys(student.features) as M[];
  if (modalities.length === 0) {
    throw new OptionError('`student.features` is empty; the loss needs at least one modality.', {
      option: 'student.features',
      value: student.features,
      accepted: 'one modality or more',
    });
  }
  assertModalities('teachers', Object.keys(teachers), modalities);
  const [batch] = student.logits.shape;
  for (const modality of modalities) {
    const expected = `[B, D] with B = ${batch}, the rows of \`student.logits\``;
    assertShape(`student.features.${modality}`, student.features[modality], [batch, null], expected);
  }
  if (present) assertMasks(present, { known: modalities, where: '`student.features`', batch });
  assertWeights('alpha', alpha, modalities);
  assertWeights('beta', beta, modalities);
  const masked = (m: M): { readonly present?: tf.Tensor1D } => {
    const mask = present?.[m];
    return mask ? { present: mask } : {};
  };
  return tf.tidy(() => {
    const taskLoss = given ?? studentLoss(labels, student.logits, { task, output });
    const shared = (m: M, loss: tf.Scalar): tf.Scalar =>
      shares && shares[m] !== 1 ? tf.mul(loss, shares[m]) : loss;
    const feature = weightedSum(modalities, alpha, (m) =>
      shared(
        m,
        featureDistillationLoss(teachers[m].features, student.features[m], {
          reduction: featureReduction,
          ...masked(m),
        }),
      ),
    );
    const logit = weightedSum(modalities, beta, (m) =>
      shared(
        m,
        logitDistillationLoss(teachers[m].logits, student.logits, {
          temperature,
          task,
          output,
          ...masked(m),
        }),
      ),
    );
    const total = tf.addN([taskLoss, feature.weighted, logit.weighted]) as tf.Scalar;
    return { total, student: taskLoss, feature: feature.sum, logit: logit.sum };
  });
}

/** The sum of the losses that have a weight, without and with the weights. */
function weightedSum<M extends string>(
  modalities: readonly M[],
  weight: number | PerModality<M, number>,
  loss: (modality: M) => tf.Scalar,
): { readonly sum: tf.Scalar; readonly weighted: tf.Tensor } {
  const active = modalities.filter((m) => (typeof weight === 'number' ? weight : weight[m]) !== 0);
  const losses = active.map(loss);
  const sum = losses.length === 0 ? tf.scalar(0) : (tf.addN(losses) as tf.Scalar);
  // One weight for all costs one product.
  if (typeof weight === 'number') return { sum, weighted: tf.mul(sum, weight) };
  if (losses.length === 0) return { sum, weighted: sum };
  return { sum, weighted: tf.addN(losses.map((value, i) => tf.mul(value, weight[active[i] as M]))) };
}

/** Throws unless an argument has exactly the modalities that the student has. */
function assertModalities(argument: string, named: readonly string[], modalities: readonly string[]): void {
  for (const modality of modalities) {
    if (!named.includes(modality)) {
      throw new UnknownModalityError({ modality, known: named, where: `\`${argument}\`` });
    }
  }
  for (const modality of named) {
    if (!modalities.includes(modality)) {
      throw new UnknownModalityError({ modality, known: modalities, where: '`student.features`' });
    }
  }
}

function assertWeights(
  option: string,
  weight: number | PerModality<string, number>,
  modalities: readonly string[],
): void {
  if (typeof weight === 'object' && weight !== null) {
    assertModalities(option, Object.keys(weight), modalities);
    for (const modality of modalities) assertWeight(`${option}.${modality}`, weight[modality] as number);
  } else {
    assertWeight(option, weight);
  }
}

function assertWeight(option: string, value: number): void {
  if (value >= 0 && Number.isFinite(value)) return;
  throw new OptionError(
    `\`${option}\` is ${value}; it must be a finite number of at least 0. The paper uses 1.`,
    {
      option,
      value,
      accepted: 'a finite number ≥ 0',
    },
  );
}

import * as tf from '@tensorflow/tfjs-core';
import { checkKeys, OptionError, type PerModality, type RegressionOutput, type Task } from '@g2d/core';
import { assertRegressionOutput, assertSameShape } from '@g2d/tensor-ops';
import { assertLogits, assertOneOf, assertTask } from './options.js';
import { assertMasks, presentRows, type PresenceMasks } from './present.js';

/** What is averaged, and over which modalities. */
export interface EnsembleLogitsOptions<M extends string> {
  /** `'logits'` (default): the mean of the logits. `'probabilities'`: the mean of the predictions, softmax or sigmoid. */
  readonly average?: 'logits' | 'probabilities';
  /** `'classification'` (default), or `'regression'`: one output. `'multi-label'`: the prediction is the sigmoid of each class's. */
  readonly task?: Task;
  /** Of a regression: the prediction is the `'sigmoid'` (default) of the output, or the output itself, `'identity'`. */
  readonly output?: RegressionOutput | undefined;
  /**
   * Presence masks, float32 `[B]` of 0 and 1: a sample's mean is over the modalities that it has. A modality without a mask is present in
   * every sample. A sample that has none gets equal logits: the prediction that knows nothing.
   */
  readonly present?: PresenceMasks<M>;
}

/** Stands for log 0 where a modality is absent: finite, so that differences of it are numbers. */
const LOG_NOTHING = -1e30;

/**
 * The unimodal ensemble (UME): the teachers' predictions averaged, without a student.
 *
 * z = (1/k) Σ_m u_m^T, or z with softmax(z) = (1/k) Σ_m softmax(u_m^T) with `average: 'probabilities'`
 *
 * Logits either way, so that what takes a model's logits takes these: with `'probabilities'` z is the logarithm of the mean
 * probabilities, for regression the z whose value is the mean of the values, for multi-label the z whose sigmoid is the mean of the sigmoids.
 *
 * @param teacherLogits u_m^T of each modality's teacher, float32 `[B, C]`; for regression `[B, 1]`.
 * @returns float32 `[B, C]`; dispose it.
 * @throws {ShapeError} If the shapes differ, or there is more than one output for regression.
 * @throws {OptionError} If there is no modality.
 * @throws {UnknownModalityError} If a mask is for a modality that has no logits.
 * @example
 * ensembleLogits({ audio: tf.tensor2d([[2, 0]]), video: tf.tensor2d([[0, 1]]) }).print(); // [[1, 0.5]]
 * @see G2D, Sec. 4 (UME)
 */
export function ensembleLogits<M extends string>(
  teacherLogits: PerModality<M, tf.Tensor2D>,
  options: EnsembleLogitsOptions<NoInfer<M>> = {},
): tf.Tensor2D {
  const {
    average = 'logits',
    task = 'classification',
    output = 'sigmoid',
    present,
  } = checkKeys(options, { average: true, task: true, output: true, present: true }, 'ensembleLogits');
  assertTask(task);
  assertRegressionOutput(output);
  assertOneOf('average', average, ['logits', 'probabilities']);
  const modalities = Object.keys(teacherLogits) as M[];
  const [first] = modalities;
  if (first === undefined) {
    throw new OptionError('`teacherLogits` is empty; an ensemble needs at least one modality.', {
      option: 'teacherLogits',
      value: teacherLogits,
      accepted: 'one modality or more',
    });
  }
  for (const modality of modalities) {
    const logits = teacherLogits[modality];
    assertLogits(`teacherLogits.${modality}`, logits, task);
    assertSameShape(`teacherLogits.${modality}`, logits, `teacherLogits.${first}`, teacherLogits[first]);
  }
  if (present) {
    const batch = teacherLogits[first].shape[0];
    assertMasks(present, { known: modalities, where: '`teacherLogits`', batch });
  }
  const rows = (modality: M, tensor: tf.Tensor2D, otherwise: number): tf.Tensor2D => {
    const mask = present?.[modality];
    return mask ? presentRows(tensor, mask, otherwise) : tensor;
  };
  return tf.tidy(() => {
    // Where outputs are values, the mean of one is that of the other.
    if (average === 'probabilities' && !(task === 'regression' && output === 'identity')) {
      const logSum = (of: (logits: tf.Tensor2D) => tf.Tensor2D): tf.Tensor2D =>
        tf.logSumExp(tf.stack(modalities.map((m) => rows(m, of(teacherLogits[m]), LOG_NOTHING))), 0);
      // Normalized again in place of divided by how many there are: a sample in which all are absent comes out uniform.
      if (task === 'classification') return tf.logSoftmax(logSum(tf.logSoftmax));
      // log p / (1 − p), of which the number of modalities is no part.
      return tf.sub(
        logSum(logSigmoid),
        logSum((logits) => logSigmoid(tf.neg(logits))),
      );
    }
    const sum = tf.addN(modalities.map((m) => rows(m, teacherLogits[m], 0)));
    return tf.div(sum, presentModalities(modalities, present));
  });
}

/** Not `tf.logSigmoid`, whose gradient needs what a tidy has freed. */
const logSigmoid = (logits: tf.Tensor2D): tf.Tensor2D => tf.neg(tf.softplus(tf.neg(logits)));

/** How many modalities each sample has, `[B, 1]`, at least 1; a number without masks. */
function presentModalities<M extends string>(
  modalities: readonly M[],
  present: PresenceMasks<M> | undefined,
): tf.Tensor | number {
  const masks = modalities.map((m) => present?.[m]).filter((mask) => mask !== undefined);
  const whole = modalities.length - masks.length;
  if (masks.length === 0) return whole;
  const counted = tf.add(tf.addN(masks.map((mask) => tf.cast(mask, 'float32'))), whole);
  return tf.expandDims(tf.maximum(counted, 1), 1);
}

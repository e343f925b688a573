import * as tf from '@tensorflow/tfjs-core';
import { checkKeys, OptionError, type Labels, type RegressionOutput, type Task } from '@g2d/core';
import {
  assertRegressionOutput,
  assertShape,
  binaryCrossEntropy,
  crossEntropy,
  regressionValue,
  warnOfProbabilities,
  type CrossEntropyOptions,
} from '@g2d/tensor-ops';
import { assertLogits, assertTask } from './options.js';

/** What the student predicts. Weights are for classes: of a multi-label task those of `binaryCrossEntropy`; smoothing is for classification. */
export interface StudentLossOptions extends CrossEntropyOptions {
  /**
   * `'classification'` (default): cross-entropy with class ids. `'multi-label'`: binary cross-entropy of each class. `'regression'`: one output,
   * whose value is compared with targets.
   */
  readonly task?: Task;
  /** Of a regression: `'sigmoid'` (default) for targets in [0, 1], or `'identity'`, the output itself, for any targets. */
  readonly output?: RegressionOutput | undefined;
}

/**
 * The student's task loss, from its fused logits.
 *
 * L_S = −(1/B) Σ_i log softmax(z_i)[y_i], or (1/B) Σ_i (sigmoid(z_i) − y_i)² for regression, z_i itself with `output: 'identity'`, or
 * `binaryCrossEntropy` for multi-label
 *
 * @param labels True class ids, int32 `[B]`; for regression targets, float32 `[B]`, in [0, 1] but for `output: 'identity'`; for multi-label 0 and 1,
 * float32 `[B, C]`.
 * @param logits Fused logits z of the student, float32 `[B, C]`; for regression `[B, 1]`.
 * @returns Scalar ≥ 0; dispose it.
 * @throws {ShapeError} If the batch sizes differ, or there is more than one output for regression.
 * @throws {OptionError} If the labels are not of the type that the task has, or there is smoothing for multi-label.
 * @example
 * studentLoss(tf.tensor1d([0], 'int32'), tf.tensor2d([[0, 0]])).print(); // 0.6931472
 * studentLoss(tf.tensor1d([0.2]), tf.tensor2d([[0]]), { task: 'regression' }).print(); // 0.09
 * @see G2D, Sec. 3.1, Eq. 1
 */
export function studentLoss(
  labels: Labels,
  logits: tf.Tensor2D,
  options: StudentLossOptions = {},
): tf.Scalar {
  const {
    task = 'classification',
    output = 'sigmoid',
    ...weights
  } = checkKeys(
    options,
    { task: true, output: true, classWeights: true, labelSmoothing: true },
    'studentLoss',
  );
  assertTask(task);
  assertRegressionOutput(output);
  const [expected, meaning] = LABELS[task];
  if (labels.dtype !== expected) {
    throw new OptionError(
      `\`labels\` are ${labels.dtype}; ${task} takes ${meaning}. Convert them, or choose another \`task\`.`,
      { option: 'labels', value: labels.dtype, accepted: expected },
    );
  }
  if (task === 'classification') {
    warnOfProbabilities('logits', logits);
    return crossEntropy(labels as tf.Tensor1D, logits, weights);
  }
  if (task === 'multi-label') {
    const { classWeights, labelSmoothing } = weights;
    if (labelSmoothing) {
      throw new OptionError(
        `\`labelSmoothing\` is ${labelSmoothing}, but a multi-label loss has none: every class is a yes or no of its own. Leave it out.`,
        { option: 'labelSmoothing', value: labelSmoothing, accepted: 'nothing' },
      );
    }
    return binaryCrossEntropy(labels as tf.Tensor2D, logits, { classWeights });
  }
  assertLogits('logits', logits, task);
  const [batch] = logits.shape;
  assertShape('labels', labels, [batch], `[B] with B = ${batch}, the rows of \`logits\``);
  // As columns: [B, 1] − [B] would be [B, B].
  return tf.tidy(() => tf.mean(tf.square(tf.sub(regressionValue(logits, output), tf.expandDims(labels, 1)))));
}

/** Type and meaning of the labels of each task. */
const LABELS = {
  classification: ['int32', 'class ids, int32 [B]'],
  regression: ['float32', 'targets, float32 [B]'],
  'multi-label': ['float32', '1 for each class that a sample has and 0 for others, float32 [B, C]'],
} as const satisfies Record<Task, readonly [tf.DataType, string]>;

import * as tf from '@tensorflow/tfjs-core';
import { checkKeys, OptionError, type RegressionOutput, type Task } from '@g2d/core';
import {
  assertRegressionOutput,
  assertSameShape,
  bernoulliDivergence,
  klDivergence,
  regressionValue,
  warnOfProbabilities,
} from '@g2d/tensor-ops';
import { assertLogits, assertTask } from './options.js';
import { meanOverPresent, type PresentOption } from './present.js';

/** Softness of the distributions, what is predicted, and over which samples. */
export interface LogitDistillationOptions extends PresentOption {
  /** T > 0; default 1, as in the paper. Regression has none: any other value is an error there. */
  readonly temperature?: number;
  /**
   * `'classification'` (default): KL divergence. `'multi-label'`: that of a yes or no for each class. `'regression'`: one output, squared difference
   * of the values.
   */
  readonly task?: Task;
  /** Of a regression: a value is the `'sigmoid'` (default) of an output, or the output itself, `'identity'`. */
  readonly output?: RegressionOutput | undefined;
}

/** Throws unless a temperature is a positive number, and 1 where the task has no distribution to soften. */
export function assertTemperature(temperature: number, task: Task): void {
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
  if (task === 'regression' && temperature !== 1) {
    throw new OptionError(
      `\`temperature\` is ${temperature}, but regression has no distribution to soften. Leave it out, or weigh the loss with \`beta\`.`,
      { option: 'temperature', value: temperature, accepted: '1 for regression' },
    );
  }
}

/**
 * Divergence of the student's fused prediction from a unimodal teacher's prediction.
 *
 * L_logit = T² · (1/n) Σ_i KL( softmax(u_i^T / T) ‖ softmax(z_i / T) ) over the n samples that have the modality,
 * or (1/n) Σ_i (sigmoid(z_i) − sigmoid(u_i^T))² for regression (of the outputs themselves with `output: 'identity'`), or
 * T² · (1/nC) Σ_i Σ_c KL( sigmoid(u_ic^T / T) ‖ sigmoid(z_ic / T) ) for multi-label, both of which the paper leaves open
 *
 * @param teacher Logits u^T of the unimodal teacher, float32 `[B, C]`; for regression `[B, 1]`.
 * @param student Fused logits z of the student, of the same shape — not those of the modality alone.
 * @returns Scalar ≥ 0; dispose it.
 * @throws {ShapeError} If the shapes differ, or there is more than one output for regression.
 * @throws {OptionError} If the temperature is not positive, or not 1 for regression.
 * @example
 * logitDistillationLoss(tf.tensor2d([[2, 1, 0]]), tf.tensor2d([[0, 0, 0]])).print(); // 0.2662168
 * @see G2D, Sec. 3.1, Eq. 3; the factor T² as in the released code
 */
export function logitDistillationLoss(
  teacher: tf.Tensor2D,
  student: tf.Tensor2D,
  options: LogitDistillationOptions = {},
): tf.Scalar {
  const {
    temperature = 1,
    task = 'classification',
    output = 'sigmoid',
    present,
  } = checkKeys(
    options,
    { temperature: true, task: true, output: true, present: true },
    'logitDistillationLoss',
  );
  assertTask(task);
  assertRegressionOutput(output);
  assertTemperature(temperature, task);
  assertLogits('teacher', teacher, task);
  assertSameShape('student', student, 'teacher', teacher);
  if (task === 'regression') {
    return meanOverPresent(teacher, student, present, (target, logits) =>
      tf.tidy(() =>
        tf.mean(tf.square(tf.sub(regressionValue(logits, output), regressionValue(target, output)))),
      ),
    );
  }
  const divergenceOf = task === 'multi-label' ? bernoulliDivergence : klDivergence;
  if (task === 'classification') {
    warnOfProbabilities('teacher', teacher);
    warnOfProbabilities('student', student);
  }
  return tf.tidy(() => {
    const divergence = meanOverPresent(teacher, student, present, (target, logits) =>
      divergenceOf(tf.div(target, temperature), tf.div(logits, temperature)),
    );
    return tf.mul(divergence, temperature ** 2) as tf.Scalar;
  });
}

import * as tf from '@tensorflow/tfjs-core';
import { checkKeys, OptionError, ShapeError } from '@g2d/core';
import { assertClassWeights } from './class-weights.js';
import { TENSORFLOW } from './tensorflow/operations.js';
import { registerSoftmaxCrossEntropy, softmaxCrossEntropy } from './tensorflow/softmax-cross-entropy.js';
import { usesPlainKernels } from './second-order/plain-kernels.js';
import { assertLabels, oneHotLabels } from './true-class-probability.js';

/** Settings of `crossEntropy`, as those of PyTorch's `CrossEntropyLoss`. */
export interface CrossEntropyOptions {
  /** w: one for each class, at least 0. Default: 1 for all. */
  readonly classWeights?: readonly number[] | undefined;
  /** ε in [0, 1]: the part of each true class that all classes share. Default 0. */
  readonly labelSmoothing?: number | undefined;
}

/**
 * Mean cross-entropy of class ids and logits. PyTorch's `CrossEntropyLoss`.
 *
 * CE = −(1/B) Σ_i log softmax(logits_i)[y_i]; with weights and smoothing
 * CE = −Σ_i Σ_c w_c q_ic log softmax(logits_i)[c] / Σ_i w_{y_i}, q_ic = (1 − ε)·[c = y_i] + ε/C
 *
 * @param labels True class ids, int32 `[B]`, each in [0, C).
 * @param logits Unnormalized scores, float32 `[B, C]`.
 * @returns Scalar ≥ 0; dispose it. The inputs are left alone. 0, with gradients of 0, for a batch of classes with weight 0.
 * @throws {ShapeError} If the batch sizes differ, or there are not as many weights as classes.
 * @throws {OptionError} If a weight or the smoothing is out of range.
 * @throws An error of TensorFlow's for a label outside of [0, C) on the `tensorflow` backend; on others the loss is NaN.
 * @example
 * crossEntropy(tf.tensor1d([0], 'int32'), tf.tensor2d([[0, 0]])).print(); // 0.6931472
 */
export function crossEntropy(
  labels: tf.Tensor1D,
  logits: tf.Tensor2D,
  options: CrossEntropyOptions = {},
): tf.Scalar {
  assertLabels(labels, logits);
  assertCrossEntropyOptions(options);
  const { classWeights, labelSmoothing = 0 } = options;
  if (classWeights || labelSmoothing > 0) {
    return weightedCrossEntropy(labels, logits, { classWeights, labelSmoothing });
  }
  if (tf.getBackend() === TENSORFLOW && labels.dtype === 'int32' && !usesPlainKernels()) {
    registerSoftmaxCrossEntropy();
    return tf.tidy(() => tf.mean(softmaxCrossEntropy(labels, logits)) as tf.Scalar);
  }
  return tf.tidy(() => {
    const oneHot = oneHotLabels(labels, logits.shape[1]);
    // log-softmax, since log(softmax) underflows below −88 in float32.
    const logProbability = tf.sum(tf.mul(oneHot, tf.logSoftmax(logits)), 1);
    // A label that is no class has no 1 anywhere: 0 / 0 makes the loss NaN in place of silently smaller.
    return tf.neg(tf.mean(tf.div(logProbability, tf.sum(oneHot, 1)))) as tf.Scalar;
  });
}

function weightedCrossEntropy(
  labels: tf.Tensor1D,
  logits: tf.Tensor2D,
  { classWeights, labelSmoothing }: { classWeights: readonly number[] | undefined; labelSmoothing: number },
): tf.Scalar {
  const [, classes] = logits.shape;
  const weights = classWeights ?? Array.from({ length: classes }, () => 1);
  if (weights.length !== classes) {
    const expected = `[${classes}], one weight for each class`;
    throw new ShapeError({ argument: 'classWeights', expected, actual: [weights.length] });
  }
  return tf.tidy(() => {
    const oneHot = oneHotLabels(labels, classes);
    // 0 / 0 for a label that is no class, as above.
    const truth = tf.div(oneHot, tf.sum(oneHot, 1, true));
    const weight = tf.tensor1d([...weights]);
    const targets = tf.mul(tf.add(tf.mul(truth, 1 - labelSmoothing), labelSmoothing / classes), weight);
    const sum = tf.neg(tf.sum(tf.mul(targets, tf.logSoftmax(logits))));
    const total = tf.sum(tf.mul(truth, weight));
    const nothing = tf.equal(total, 0);
    const mean = tf.div(sum, tf.where(nothing, tf.onesLike(total), total));
    return tf.where(nothing, tf.zerosLike(mean), mean) as tf.Scalar;
  });
}

/** @throws {OptionError} If a weight or the smoothing is out of range. */
export function assertCrossEntropyOptions(options: CrossEntropyOptions): void {
  const { classWeights, labelSmoothing = 0 } = checkKeys(
    options,
    { classWeights: true, labelSmoothing: true },
    'crossEntropy',
  );
  assertClassWeights(classWeights);
  const refuse = (option: string, value: unknown, accepted: string): never => {
    throw new OptionError(`\`${option}\` is ${String(value)}; it must be ${accepted}.`, {
      option,
      value,
      accepted,
    });
  };
  if (classWeights && !classWeights.some((weight) => weight > 0))
    refuse('classWeights', classWeights, 'above 0 for one class at least');
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) refuse('labelSmoothing', labelSmoothing, '0 to 1');
}

import * as tf from '@tensorflow/tfjs-core';
import { checkKeys, ShapeError } from '@g2d/core';
import { assertLabelSets } from './label-set-probability.js';
import { assertClassWeights } from './class-weights.js';

/** Settings of `binaryCrossEntropy`. */
export interface BinaryCrossEntropyOptions {
  /** w: one for each class, at least 0: what a sample that has the class counts; PyTorch's `pos_weight`. Default: 1 for all. */
  readonly classWeights?: readonly number[] | undefined;
}

/**
 * Mean binary cross-entropy of sets of classes and logits: each class is a yes or no of its own. PyTorch's `BCEWithLogitsLoss`.
 *
 * BCE = −(1/BC) Σ_i Σ_c [ w_c y_ic log σ(z_ic) + (1 − y_ic) log(1 − σ(z_ic)) ]
 *
 * @param labels float32 `[B, C]`: 1 for each class that a sample has, 0 for the others.
 * @param logits Scores before their sigmoid, float32 `[B, C]`.
 * @returns Scalar ≥ 0; dispose it. The inputs are left alone.
 * @throws {ShapeError} If the shapes differ, or there are not as many weights as classes.
 * @throws {OptionError} If a weight is out of range.
 * @example
 * binaryCrossEntropy(tf.tensor2d([[1, 0]]), tf.tensor2d([[0, 0]])).print(); // 0.6931472
 */
export function binaryCrossEntropy(
  labels: tf.Tensor2D,
  logits: tf.Tensor2D,
  options: BinaryCrossEntropyOptions = {},
): tf.Scalar {
  const { classWeights } = checkKeys(options, { classWeights: true }, 'binaryCrossEntropy');
  assertLabelSets(labels, logits);
  assertClassWeights(classWeights);
  const [, classes] = logits.shape;
  if (classWeights && classWeights.length !== classes) {
    const expected = `[${classes}], one weight for each class`;
    throw new ShapeError({ argument: 'classWeights', expected, actual: [classWeights.length] });
  }
  return tf.tidy(() => {
    const positives = classWeights ? tf.mul(labels, tf.tensor1d([...classWeights])) : labels;
    // −log σ(z) = softplus(−z), finite wherever z is. Not `tf.logSigmoid`, whose gradient needs what this tidy has freed.
    const yes = tf.mul(positives, tf.softplus(tf.neg(logits)));
    const no = tf.mul(tf.sub(1, labels), tf.softplus(logits));
    return tf.mean(tf.add(yes, no)) as tf.Scalar;
  });
}

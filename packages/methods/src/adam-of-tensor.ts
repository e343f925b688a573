import * as tf from '@tensorflow/tfjs-core';

/** A tensor that Adam trains, and what Adam keeps of it. */
export interface TrainedTensor {
  readonly value: tf.Tensor2D;
  readonly firstMoment: tf.Tensor2D;
  readonly secondMoment: tf.Tensor2D;
  readonly steps: number;
}

export const untrained = (value: tf.Tensor2D): TrainedTensor => ({
  value,
  firstMoment: tf.zerosLike(value),
  secondMoment: tf.zerosLike(value),
  steps: 0,
});

/**
 * One step as TensorFlow's Adam has it, with its usual settings: x ← x − η √(1 − β2^t) / (1 − β1^t) · m / (√v + 10⁻⁸), β = (0.9, 0.999).
 *
 * @returns New tensors; the old ones stay.
 */
export function adamStep(
  { value, firstMoment, secondMoment, steps }: TrainedTensor,
  gradient: tf.Tensor2D,
  learningRate: number,
): TrainedTensor {
  const t = steps + 1;
  const mean = tf.add<tf.Tensor2D>(tf.mul(firstMoment, 0.9), tf.mul(gradient, 1 - 0.9));
  const square = tf.add<tf.Tensor2D>(tf.mul(secondMoment, 0.999), tf.mul(tf.square(gradient), 1 - 0.999));
  const rate = (learningRate * Math.sqrt(1 - 0.999 ** t)) / (1 - 0.9 ** t);
  const direction = tf.div(mean, tf.add(tf.sqrt(square), 1e-8));
  return {
    value: tf.sub(value, tf.mul(direction, rate)),
    firstMoment: mean,
    secondMoment: square,
    steps: t,
  };
}

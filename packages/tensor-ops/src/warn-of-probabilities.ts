import type * as tf from '@tensorflow/tfjs-core';

/** The arguments that were looked at. */
const seen = new Set<string>();

/**
 * Says once if what is given as logits looks like probabilities: numbers in [0, 1] whose rows add up to 1. Their softmax would be nearly
 * uniform, and nothing would fail.
 *
 * Only the first tensor of each argument is looked at, without waiting for it: a step is not slowed down.
 *
 * @param argument Its name.
 * @param logits `[B, C]`
 */
export function warnOfProbabilities(argument: string, logits: tf.Tensor2D): void {
  if (seen.has(argument)) return;
  seen.add(argument);
  logits.data().then(
    (values) => {
      let sum = 0;
      for (const value of values) sum += value < 0 || value > 1 ? NaN : value;
      // Each row adds up to 1, so all of them to their number.
      if (Math.abs(sum / logits.shape[0] - 1) < 1e-3) {
        console.warn(`\`${argument}\` look like probabilities: leave out the softmax.`);
      }
    },
    () => {},
  );
}

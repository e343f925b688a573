import { OptionError, type Training } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';

/**
 * Draws training samples to hold out.
 *
 * @throws {OptionError} If the training set has no more than these.
 */
export async function drawHeld<M extends string>(training: Training<M>, count: number): Promise<string[]> {
  const ids: string[] = [];
  for await (const batch of training.everySample([])) {
    ids.push(...batch.ids);
    tf.dispose(batch);
  }
  if (ids.length <= count)
    throw new OptionError(
      `DLMG holds ${count} samples out of the training (\`learning.held\`), which has ${ids.length}. Hold fewer.`,
      { option: 'learning.held', value: count, accepted: `less than ${ids.length}` },
    );
  const order = training.random('dlmg').permutation(ids.length);
  return Array.from(order.slice(0, count), (i) => ids[i] as string);
}

import * as tf from '@tensorflow/tfjs-core';
import { G2DError, type Model } from '@g2d/core';
import type { Processes } from './processes.js';

/**
 * Compares the weights of all processes, which take the same steps, by their sizes.
 *
 * @throws {G2DError} With code `G2D_PARALLEL_DRIFT` in all of them, if they are not the same bits.
 */
export function assertSameWeights<M extends string>(
  all: Processes | undefined,
  { parameters }: Model<M>,
  epoch: number,
): void {
  if (!all) return;
  const { processes, rank } = all.allReduce;
  const own = tf.tidy(() =>
    parameters.map(({ variable }) => tf.sum(tf.abs(variable)).dataSync()[0] as number),
  );
  const sizes = new Float64Array(processes * own.length);
  sizes.set(own, rank * own.length);
  all.allReduce.sum(sizes);
  const differs = sizes.findIndex((size, i) => !Object.is(size, sizes[i % own.length]));
  if (differs < 0) return;
  const [other, parameter] = [Math.floor(differs / own.length), parameters[differs % own.length]];
  throw new G2DError(
    'G2D_PARALLEL_DRIFT',
    `After epoch ${epoch} the weights of process ${other} are not those of process 0, first in ${parameter?.name}: a method or a layer does something of its own in each. The last checkpoint stays; go on in one process, or leave out what draws at random without the run's seed.`,
    { epoch, rank: other, parameter: parameter?.name },
  );
}

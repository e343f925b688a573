import type { RandomStream } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';

/** Which cluster each point is in, and Σ of the squared distances to its centre. */
interface Clustering {
  readonly clusters: Int32Array;
  readonly inertia: number;
}

const RESTARTS = 10;
/** Of each clustering, at most. */
const ITERATIONS = 300;
/** Of the mean variance of the points' dimensions. */
const TOLERANCE = 1e-4;

/**
 * k-means: the best of ten clusterings, each from centres that k-means++ draws and until no point changes its cluster, or the centres hardly
 * move: Σ of squares at most 1e-4 of the mean variance, as in scikit-learn.
 *
 * @param points `[N, D]`, finite.
 * @param options `clusters`: from 1 to N. A cluster that loses all points keeps its centre.
 * @returns For each point the number of its cluster.
 * @see Arthur and Vassilvitskii, k-means++ (SODA 2007)
 */
export async function kMeans(
  points: tf.Tensor2D,
  { clusters, random }: { readonly clusters: number; readonly random: RandomStream },
): Promise<Int32Array> {
  let best: Clustering | undefined;
  for (let restart = 0; restart < RESTARTS; restart++) {
    const found = clustered(points, firstCentres(points, clusters, random));
    if (!best || found.inertia < best.inertia) best = found;
    // Lets timers and signals through.
    await tf.nextFrame();
  }
  return (best as Clustering).clusters;
}

/** Rows of points, each drawn by its squared distance from the nearest one so far. */
function firstCentres(points: tf.Tensor2D, clusters: number, random: RandomStream): number[] {
  const [size] = points.shape;
  const rows = [random.integer(size)];
  const nearest = new Float64Array(size).fill(Infinity);
  while (rows.length < clusters) {
    const distances = tf.tidy(() => {
      const last = tf.slice(points, [rows.at(-1) as number, 0], [1, -1]);
      return tf.sum(tf.square(tf.sub(points, last)), 1).dataSync<'float32'>();
    });
    distances.forEach((distance, i) => (nearest[i] = Math.min(nearest[i] as number, distance)));
    let left = random.uniform() * nearest.reduce((sum, distance) => sum + distance, 0);
    const drawn = nearest.findIndex((distance) => (left -= distance) < 0);
    // Where every point is like a centre there is nothing to draw from: any will do.
    rows.push(drawn >= 0 ? drawn : random.integer(size));
  }
  return rows;
}

function clustered(points: tf.Tensor2D, rows: readonly number[]): Clustering {
  // Plain data leave a `tidy` as they are.
  return tf.tidy(() => {
    let centres = tf.gather(points, tf.tensor1d([...rows], 'int32'));
    let clusters = new Int32Array();
    const [variance] = tf.mean(tf.moments(points, 0).variance).dataSync<'float32'>();
    for (let i = 0; i < ITERATIONS; i++) {
      const before = clusters;
      clusters = nearestOf(points, centres);
      if (clusters.every((cluster, point) => cluster === before[point])) break;
      const moved = meansOf(points, clusters, centres);
      const [shift] = tf.tidy(() => tf.sum(tf.squaredDifference(moved, centres)).dataSync<'float32'>());
      centres.dispose();
      centres = moved;
      if ((shift as number) <= TOLERANCE * (variance as number)) {
        clusters = nearestOf(points, centres);
        break;
      }
    }
    const own = tf.gather(centres, tf.tensor1d(clusters, 'int32'));
    const [inertia] = tf.sum(tf.square(tf.sub(points, own))).dataSync<'float32'>();
    return { clusters, inertia: inertia as number } as never;
  });
}

/** For each point the nearest centre. */
const nearestOf = (points: tf.Tensor2D, centres: tf.Tensor2D): Int32Array<ArrayBuffer> =>
  tf.tidy(() => {
    // Without ‖x‖², which is the same for all centres.
    const products = tf.mul(tf.matMul(points, centres, false, true), 2);
    const nearest = tf.argMin(tf.sub(tf.sum(tf.square(centres), 1), products), 1);
    return Int32Array.from(nearest.dataSync()) as never;
  });

const meansOf = (points: tf.Tensor2D, clusters: Int32Array, centres: tf.Tensor2D): tf.Tensor2D =>
  tf.tidy(() => {
    const hot = tf.cast(
      tf.oneHot(tf.tensor1d(clusters, 'int32'), centres.shape[0]),
      'float32',
    ) as tf.Tensor2D;
    const counts = tf.reshape(tf.sum(hot, 0), [-1, 1]);
    const means = tf.div<tf.Tensor2D>(tf.matMul(hot, points, true), tf.maximum(counts, 1));
    return tf.where(tf.greater(counts, 0), means, centres);
  });

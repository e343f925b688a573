import type { Batch } from '@g2d/core';
import type * as tf from '@tensorflow/tfjs-core';

/** True class ids, int32 `[B]`: of a method that declares `needs: { task: 'classification' }`. */
export const classIds = ({ labels }: Pick<Batch<string>, 'labels'>): tf.Tensor1D => labels as tf.Tensor1D;

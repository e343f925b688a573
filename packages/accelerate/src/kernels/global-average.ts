import * as tf from '@tensorflow/tfjs-core';
import { attribute, defineKernel, execute, runKernel } from '@g2d/tensor-ops/tensorflow';

const KERNEL = 'G2dGlobalAverage';

interface AverageAttributes {
  /** Shape of the input, which the gradient needs and the input itself it does not. */
  readonly shape: readonly [number, number, number, number];
}

/** Registers the kernel and its gradient for the `tensorflow` backend. */
export function registerGlobalAverage(): void {
  defineKernel<AverageAttributes>({
    name: KERNEL,
    forward: ({ x }) => {
      const axes = tf.tensor1d([1, 2], 'int32');
      const mean = execute(
        'Mean',
        [attribute.float32Type(), attribute.int32Type('Tidx'), attribute.boolean('keep_dims', false)],
        [x as tf.Tensor, axes],
      );
      axes.dispose();
      return mean;
    },
    gradient: ([dy], _, { shape: [batch, height, width, channels] }) => ({
      x: () => {
        const each = tf.div(dy as tf.Tensor, height * width);
        return tf.tile(tf.reshape(each, [batch, 1, 1, channels]), [1, height, width, 1]);
      },
    }),
  });
}

/** Mean of `[B, H, W, C]` over height and width: `[B, C]`. Saves nothing. */
export const globalAverage = (x: tf.Tensor): tf.Tensor => runKernel(KERNEL, { x }, { shape: x.shape });

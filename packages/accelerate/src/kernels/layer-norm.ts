import * as tf from '@tensorflow/tfjs-core';
import { defineKernel, disposeSaved, runKernel } from '@g2d/tensor-ops/tensorflow';
import { canFuseLayerNorm, fusedLayerNorm } from './fused-layer-norm.js';

const KERNEL = 'G2dLayerNorm';

interface LayerNormAttributes {
  readonly epsilon: number;
}

/** Registers the kernel and its gradient for the `tensorflow` backend. */
export function registerLayerNorm(): void {
  defineKernel<LayerNormAttributes>({
    name: KERNEL,
    inputsToSave: ['gamma'],
    outputsToSave: [false, true, true],
    forward: ({ x, gamma, beta }, { epsilon }) =>
      tf.tidy(() => {
        const centered = tf.sub(x as tf.Tensor, tf.mean(x as tf.Tensor, -1, true));
        const variance = tf.mean(tf.square(centered), -1, true);
        const scale = tf.rsqrt(tf.add(variance, epsilon));
        const normalized = tf.mul(centered, scale);
        return [tf.add(tf.mul(normalized, gamma as tf.Tensor), beta as tf.Tensor), normalized, scale];
      }),
    gradient: ([dy], saved) => {
      const [gamma, normalized, scale] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
      const output = dy as tf.Tensor;
      const leading = output.shape.map((_, axis) => axis).slice(0, -1);
      return {
        x: () => {
          const inner = tf.mul(output, gamma);
          const along = tf.mul(normalized, tf.mean(tf.mul(inner, normalized), -1, true));
          return tf.mul(scale, tf.sub(tf.sub(inner, tf.mean(inner, -1, true)), along));
        },
        gamma: () => tf.sum(tf.mul(output, normalized), leading),
        beta: () => tf.sum(output, leading),
      };
    },
  });
}

/**
 * Layer normalization over the last axis: y = gamma (x − μ) / √(σ² + epsilon) + beta with mean and biased variance of
 * each row.
 */
export function layerNorm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: number): tf.Tensor {
  if (canFuseLayerNorm(x)) return fusedLayerNorm({ x, gamma, beta }, { epsilon, rate: 0, seed: 0 });
  const [y, ...kept] = runKernel<tf.Tensor[]>(KERNEL, { x, gamma, beta }, { epsilon }) as [
    tf.Tensor,
    ...tf.Tensor[],
  ];
  disposeSaved(kept);
  return y;
}

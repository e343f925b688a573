import * as tf from '@tensorflow/tfjs-core';
import { defineKernel, runKernel } from '@g2d/tensor-ops/tensorflow';

const KERNEL = 'G2dReshape';
const BOUNDARY = 'G2dBoundary';

interface ReshapeAttributes {
  readonly from: number[];
  readonly to: number[];
}

/** Registers the kernel and its gradient for the `tensorflow` backend. */
export function registerReshape(): void {
  defineKernel<ReshapeAttributes>({
    name: KERNEL,
    forward: ({ x }, { to }) => tf.reshape(x as tf.Tensor, to),
    gradient: ([dy], _, { from }) => ({ x: () => tf.reshape(dy as tf.Tensor, from) }),
  });
  defineKernel({
    name: BOUNDARY,
    freesGradients: false,
    forward: ({ x }) => tf.reshape(x as tf.Tensor, (x as tf.Tensor).shape),
    gradient: ([dy]) => ({ x: () => tf.clone(dy as tf.Tensor) }),
  });
}

/** The same values under another shape. TensorFlow.js's own gradient keeps the input to the end; this one saves nothing. */
export const reshape = (x: tf.Tensor, to: number[]): tf.Tensor =>
  runKernel(KERNEL, { x }, { from: x.shape, to });

/**
 * A second handle, for what lies beyond our kernels: a gradient function there may give one tensor as the gradient of
 * several values. It is not freed, and this side gets a handle of its own.
 */
export const boundary = (x: tf.Tensor): tf.Tensor => runKernel(BOUNDARY, { x });

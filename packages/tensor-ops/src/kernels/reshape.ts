import * as tf from '@tensorflow/tfjs-core';
import { defineKernel, runKernel } from './define-kernel.js';

const KERNEL = 'G2dReshape';

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
}

/** The same values under another shape. TensorFlow.js's own gradient keeps the input to the end; this one saves nothing. */
export const reshape = (x: tf.Tensor, to: number[]): tf.Tensor =>
  runKernel(KERNEL, { x }, { from: x.shape, to });

/** A second handle whose gradient is a handle of its own: what lies beyond may share one gradient between several values. */
export const boundary = (x: tf.Tensor): tf.Tensor => reshape(x, x.shape);

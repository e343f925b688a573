import type * as tf from '@tensorflow/tfjs-core';
import { attribute, defineKernel, execute, runKernel } from '@g2d/tensor-ops/tensorflow';

const RELU = 'G2dRelu';
const ADD_RELU = 'G2dAddRelu';

const reluGradient = (dy: tf.Tensor, y: tf.Tensor): tf.Tensor =>
  execute('ReluGrad', [attribute.float32Type()], [dy, y]);

/** Registers the kernels and their gradients for the `tensorflow` backend. */
export function registerRelu(): void {
  defineKernel({
    name: RELU,
    outputsToSave: [true],
    forward: ({ x }) => execute('Relu', [attribute.float32Type()], [x as tf.Tensor]),
    gradient: ([dy], [y]) => ({ x: () => reluGradient(dy as tf.Tensor, y as tf.Tensor) }),
  });
  defineKernel({
    name: ADD_RELU,
    outputsToSave: [true],
    forward: ({ a, b }) => {
      const sum = execute('AddV2', [attribute.float32Type()], [a, b] as tf.Tensor[]);
      const y = execute('Relu', [attribute.float32Type()], [sum]);
      sum.dispose();
      return y;
    },
    gradient: ([dy], [y]) => {
      const inner = reluGradient(dy as tf.Tensor, y as tf.Tensor);
      // Two handles of one buffer: the tape may free either first.
      return { a: () => inner.clone(), b: () => inner };
    },
  });
}

/** max(x, 0). Saves its output only. */
export const relu = (x: tf.Tensor): tf.Tensor => runKernel(RELU, { x });

/** max(a + b, 0) of two tensors of one shape. Saves its output only. */
export const addRelu = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => runKernel(ADD_RELU, { a, b });

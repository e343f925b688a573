import * as tf from '@tensorflow/tfjs-core';
import { attribute, defineKernel, execute, hasOperation, runKernel } from '@g2d/tensor-ops/tensorflow';

const RELU = 'G2dRelu';
const ADD_RELU = 'G2dAddRelu';

// TensorFlow's `ReluGrad` takes a y that is not a number for a closed ReLU: gradients of 0 where plain layers have NaN.
const GRADIENT = 'G2dV1ReluGrad';

/** dy where y is positive, 0 where it is 0, NaN where it is not a number; y is the rectified value. Not on the tape. */
export function reluGradient(dy: tf.Tensor, y: tf.Tensor): tf.Tensor {
  const attempt = () => execute(GRADIENT, [], [tf.ones([1]), tf.ones([1])]);
  if (hasOperation(GRADIENT, attempt)) return execute(GRADIENT, [], [dy, y]);
  const open = execute('Sign', [attribute.float32Type()], [y]);
  const dx = tf.mul(dy, open);
  open.dispose();
  return dx;
}

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

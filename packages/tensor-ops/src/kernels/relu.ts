import * as tf from '@tensorflow/tfjs-core';
import { attribute, TENSORFLOW, tensorflow } from './tensorflow.js';

const KERNEL = 'G2dRelu';

/** Registers the rectifier and its gradient, one operation each way, for the `tensorflow` backend. */
export function registerRelu(): void {
  tf.registerKernel({
    kernelName: KERNEL,
    backendName: TENSORFLOW,
    kernelFunc: ({ inputs }) =>
      tensorflow().executeSingleOutput('Relu', [attribute.float32Type()], [inputs['x'] as tf.Tensor]),
  });
  tf.registerGradient({
    kernelName: KERNEL,
    outputsToSave: [true],
    gradFunc: (dy, [y]) => ({
      x: () =>
        tensorflow().executeSingleOutput(
          'ReluGrad',
          [attribute.float32Type()],
          [dy as tf.Tensor, y as tf.Tensor],
        ),
    }),
  });
}

/** Runs the kernel. `registerRelu` must have been called. */
export const relu = (x: tf.Tensor): tf.Tensor => tf.engine().runKernel(KERNEL, { x }) as tf.Tensor;

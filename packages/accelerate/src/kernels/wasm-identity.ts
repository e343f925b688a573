import * as tf from '@tensorflow/tfjs-core';

/**
 * Lets clones on the `wasm` backend share their numbers, as on every other one: its own kernel copies them, and whatever a gradient
 * needs is cloned.
 */
export function registerWasmIdentity(): void {
  const own = tf.getKernel('Identity', 'wasm');
  tf.unregisterKernel('Identity', 'wasm');
  tf.registerKernel({
    ...own,
    kernelFunc: (call) => {
      const { dataId, shape, dtype } = call.inputs['x'] as tf.TensorInfo;
      if (dtype === 'string') return own.kernelFunc(call);
      (call.backend as tf.KernelBackend).incRef(dataId);
      return { dataId, shape, dtype };
    },
  });
}

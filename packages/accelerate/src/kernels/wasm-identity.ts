import * as tf from '@tensorflow/tfjs-core';

/**
 * Lets clones on the `wasm` backend share their numbers, as on every other one, and casts to the type that is there: its own kernels
 * copy them, and whatever a gradient needs is cloned.
 */
export function registerWasmIdentity(): void {
  for (const name of ['Identity', 'Cast']) {
    const own = tf.getKernel(name, 'wasm');
    tf.unregisterKernel(name, 'wasm');
    tf.registerKernel({
      ...own,
      kernelFunc: (call) => {
        const { dataId, shape, dtype } = call.inputs['x'] as tf.TensorInfo;
        const { dtype: wanted = dtype } = (call.attrs ?? {}) as { dtype?: tf.DataType };
        if (dtype === 'string' || wanted !== dtype) return own.kernelFunc(call);
        (call.backend as tf.KernelBackend).incRef(dataId);
        return { dataId, shape, dtype };
      },
    });
  }
}

import * as tf from '@tensorflow/tfjs-core';
import { SGD_KERNEL, type SGDAttributes } from '@g2d/tensor-ops/tensorflow';
import { wasmModule, type WasmModule } from './wasm-module.js';

/** Registers SGD with momentum as one kernel for the `wasm` backend; `SGD` of `@g2d/tensor-ops` runs it where it is there. */
export function registerWasmSGD(): void {
  tf.registerKernel({
    kernelName: SGD_KERNEL,
    backendName: 'wasm',
    kernelFunc: ({ inputs: { variable, gradient, velocity }, attrs, backend }) => {
      const { learningRate, momentum, weightDecay, dampening, nesterov } = attrs as unknown as SGDAttributes;
      const { run, pointer, output } = wasmModule(backend) as WasmModule;
      const { shape } = variable!;
      const outputs = [output(shape), output(shape)];
      const operands = [variable, gradient, velocity, ...outputs].map(pointer);
      const constants = [learningRate, momentum, weightDecay, 1 - dampening, nesterov ? 1 : 0];
      run.sgd(...operands, tf.util.sizeFromShape(shape), ...constants);
      return outputs;
    },
  });
}

import * as tf from '@tensorflow/tfjs-core';
import { assertFirstOrder, disposeSaved, runKernel } from '@g2d/tensor-ops/tensorflow';
import { wasmModule, type WasmModule } from './wasm-module.js';

const KERNEL = 'G2dWasmLayerNorm';
const GRADIENT = 'G2dWasmLayerNormGradient';

const DOUBLE = 8;

const sizes = ({ shape }: tf.TensorInfo): [rows: number, width: number] => [
  tf.util.sizeFromShape(shape.slice(0, -1)),
  shape.at(-1) as number,
];

/** Registers layer normalization over the last axis and its gradient for the `wasm` backend. */
export function registerWasmLayerNorm(): void {
  tf.registerKernel({
    kernelName: KERNEL,
    backendName: 'wasm',
    kernelFunc: ({ inputs: { x, gamma, beta }, attrs, backend }) => {
      const { epsilon } = attrs as { epsilon: number };
      const { run, pointer, output } = wasmModule(backend) as WasmModule;
      const [rows, width] = sizes(x!);
      const outputs = [output(x!.shape), output([rows]), output([rows])];
      run.layerNorm(...[x, gamma, beta].map(pointer), rows, width, epsilon, ...outputs.map(pointer));
      return outputs;
    },
  });
  tf.registerKernel({
    kernelName: GRADIENT,
    backendName: 'wasm',
    kernelFunc: ({ inputs: { dy, x, gamma, mean, inverse }, backend }) => {
      const { run, pointer, output, withRoom } = wasmModule(backend) as WasmModule;
      const [rows, width] = sizes(x!);
      const outputs = [output(x!.shape), output([width]), output([width])];
      withRoom(DOUBLE * width, (sums) => {
        const operands = [dy, x, gamma, mean, inverse].map(pointer);
        run.layerNormGradient(...operands, rows, width, ...outputs.map(pointer), sums);
      });
      return outputs;
    },
  });
  tf.registerGradient({
    kernelName: KERNEL,
    inputsToSave: ['x', 'gamma'],
    outputsToSave: [false, true, true],
    gradFunc: (dys, [x, gamma, mean, inverse]) => {
      assertFirstOrder();
      const inputs = { dy: (dys as unknown as tf.Tensor[])[0], x, gamma, mean, inverse };
      const gradients = runKernel<tf.Tensor[]>(GRADIENT, inputs as Record<string, tf.Tensor>);
      return Object.fromEntries(
        ['x', 'gamma', 'beta'].map((name, i) => [name, () => gradients[i] as tf.Tensor]),
      );
    },
  });
}

/** y = gamma (x − μ) / √(σ² + epsilon) + beta over the last axis, mean and biased variance of each row. */
export function wasmLayerNorm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: number): tf.Tensor {
  const [y, ...rest] = runKernel<tf.Tensor[]>(KERNEL, { x, gamma, beta }, { epsilon }) as [
    tf.Tensor,
    ...tf.Tensor[],
  ];
  disposeSaved(rest);
  return y;
}

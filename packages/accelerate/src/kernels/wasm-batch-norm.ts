import * as tf from '@tensorflow/tfjs-core';
import { assertFirstOrder, disposeSaved, runKernel } from '@g2d/tensor-ops/tensorflow';
import type { BatchNormAttributes, BatchNormInputs, BatchNormResult } from './batch-norm-types.js';
import { wasmModule, type WasmModule } from './wasm-module.js';

const KERNEL = 'G2dWasmBatchNorm';
const KERNEL_RELU = 'G2dWasmBatchNormRelu';
const GRADIENT = 'G2dWasmBatchNormGradient';

const DOUBLE = 8;

const sizes = ({ shape }: tf.TensorInfo): { rows: number; channels: number } => {
  const channels = shape.at(-1) as number;
  return { rows: tf.util.sizeFromShape(shape.slice(0, -1)), channels };
};

/** Registers training's batch normalization, with ReLU and without, and its gradient for the `wasm` backend. */
export function registerWasmBatchNorm(): void {
  for (const relu of [false, true]) {
    const kernelName = relu ? KERNEL_RELU : KERNEL;
    tf.registerKernel({
      kernelName,
      backendName: 'wasm',
      kernelFunc: ({ inputs: { x, gamma, beta }, attrs, backend }) => {
        const { epsilon, momentum, mean, variance } = attrs as unknown as BatchNormAttributes;
        const { run, pointer, output, withRoom } = wasmModule(backend) as WasmModule;
        const { rows, channels } = sizes(x!);
        const outputs = [output(x!.shape), ...Array.from({ length: 4 }, () => output([channels]))];
        withRoom(DOUBLE * channels, (sums) => {
          const operands = [x, gamma, beta, mean, variance].map(pointer);
          const options = [rows, channels, epsilon, momentum, relu ? 1 : 0];
          run.batchNorm(...operands, ...options, ...outputs.map(pointer), sums);
        });
        return outputs;
      },
    });
    tf.registerGradient({
      kernelName,
      inputsToSave: ['x', 'gamma'],
      // y tells what ReLU let through; μ and 1/σ of the batch.
      outputsToSave: [relu, false, false, true, true],
      gradFunc: (dys, [x, gamma, ...saved]) => {
        assertFirstOrder();
        const [y, mean, inverse] = relu ? saved : [undefined, ...saved];
        const inputs = { dy: (dys as unknown as tf.Tensor[])[0], x, gamma, mean, inverse, ...(y && { y }) };
        const gradients = runKernel<tf.Tensor[]>(GRADIENT, inputs as Record<string, tf.Tensor>);
        return Object.fromEntries(
          ['x', 'gamma', 'beta'].map((name, i) => [name, () => gradients[i] as tf.Tensor]),
        );
      },
    });
  }
  tf.registerKernel({
    kernelName: GRADIENT,
    backendName: 'wasm',
    kernelFunc: ({ inputs: { dy, x, y, gamma, mean, inverse }, backend }) => {
      const { run, pointer, output, withRoom } = wasmModule(backend) as WasmModule;
      const { rows, channels } = sizes(x!);
      const outputs = [output(x!.shape), output([channels]), output([channels])];
      withRoom(DOUBLE * channels, (sums) => {
        const operands = [dy, x, y, gamma, mean, inverse].map(pointer);
        run.batchNormGradient(...operands, rows, channels, y ? 1 : 0, ...outputs.map(pointer), sums);
      });
      return outputs;
    },
  });
}

/** Whether batch normalization runs here as one kernel each way. */
export const hasWasmBatchNorm = (): boolean =>
  tf.getBackend() === 'wasm' && wasmModule(tf.backend()) !== null;

/** Training's batch normalization over the last axis, any number of axes before it, and optionally ReLU. */
export function wasmBatchNorm(
  inputs: BatchNormInputs,
  attributes: BatchNormAttributes,
  options: { readonly relu: boolean },
): BatchNormResult {
  const [y, mean, variance, ...rest] = runKernel<tf.Tensor[]>(
    options.relu ? KERNEL_RELU : KERNEL,
    { ...inputs },
    attributes,
  ) as [tf.Tensor, tf.Tensor, tf.Tensor, ...tf.Tensor[]];
  disposeSaved(rest);
  return { y, mean, variance };
}

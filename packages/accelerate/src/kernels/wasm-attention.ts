import * as tf from '@tensorflow/tfjs-core';
import { assertFirstOrder, disposeSaved, runKernel } from '@g2d/tensor-ops/tensorflow';
import type { AttentionOptions } from './plain-attention.js';
import { anySeeds, headFactors } from './dropout.js';
import { wasmModule, type WasmModule } from './wasm-module.js';

const KERNEL = 'G2dWasmAttention';
const GRADIENT = 'G2dWasmAttentionGradient';

const FLOAT = 4;

type Sizes = [batch: number, time: number, heads: number, size: number];

const sizesOf = ({ shape }: tf.TensorInfo, heads: number): Sizes => {
  const [batch, time, width] = shape as [number, number, number];
  return [batch, time, heads, width / (3 * heads)];
};

/** What the attention weights are multiplied by; a single 1 without dropout. */
function factorsOf(
  [batch, time, heads]: Sizes,
  { dropout: rate, seeds = anySeeds(heads), part }: AttentionOptions,
): tf.Tensor {
  if (rate === 0) return tf.scalar(1);
  const shape: [number, number, number, number] = [batch, heads, time, time];
  return tf.tensor(headFactors(shape, { rate, seeds, part }), shape);
}

/** Registers multi-head attention and its gradient for the `wasm` backend. */
export function registerWasmAttention(): void {
  tf.registerKernel({
    kernelName: KERNEL,
    backendName: 'wasm',
    kernelFunc: ({ inputs: { projected, mask }, attrs, backend }) => {
      const options = attrs as unknown as AttentionOptions;
      const { heads, scale, dropout } = options;
      const { run, pointer, output, withRoom } = wasmModule(backend) as WasmModule;
      const sizes = sizesOf(projected!, heads);
      const [batch, time, , size] = sizes;
      const factors = factorsOf(sizes, options);
      const outputs = [output([batch, time, heads * size]), output([batch, heads, time, time])];
      withRoom(FLOAT * run.attentionWork(time, size), (work) => {
        const operands = [projected, mask, dropout > 0 ? factors : undefined].map(pointer);
        run.attention(...operands, ...sizes, scale, ...outputs.map(pointer), work);
      });
      return [...outputs, factors];
    },
  });
  tf.registerKernel({
    kernelName: GRADIENT,
    backendName: 'wasm',
    kernelFunc: ({ inputs: { dy, projected, weights, factors }, attrs, backend }) => {
      const { heads, scale, dropout } = attrs as unknown as AttentionOptions;
      const { run, pointer, output, withRoom } = wasmModule(backend) as WasmModule;
      const sizes = sizesOf(projected!, heads);
      const [batch, time, , size] = sizes;
      const outputs = [output(projected!.shape), output([batch, 1, time])];
      withRoom(FLOAT * run.attentionWork(time, size), (work) => {
        const operands = [dy, projected, weights, dropout > 0 ? factors : undefined].map(pointer);
        run.attentionGradient(...operands, ...sizes, scale, ...outputs.map(pointer), work);
      });
      return outputs;
    },
  });
  tf.registerGradient({
    kernelName: KERNEL,
    inputsToSave: ['projected'],
    outputsToSave: [false, true, true],
    gradFunc: (dys, [projected, weights, factors], attributes) => {
      assertFirstOrder();
      const inputs = { dy: (dys as unknown as tf.Tensor[])[0], projected, weights, factors };
      const gradients = runKernel<tf.Tensor[]>(GRADIENT, inputs as Record<string, tf.Tensor>, attributes);
      return { projected: () => gradients[0] as tf.Tensor, mask: () => gradients[1] as tf.Tensor };
    },
  });
}

/**
 * The core of multi-head self-attention, all heads at once: head_h = dropout(softmax(scale · Q_h K_hᵀ + mask)) V_h.
 *
 * @param projected `[B, T, 3·H·d]`: all queries, all keys, all values, each head after head.
 * @param mask `[B, 1, T]`, added to every row of scores.
 * @returns The heads side by side, `[B, T, H·d]`.
 */
export function wasmAttention(
  projected: tf.Tensor,
  mask: tf.Tensor | undefined,
  attributes: AttentionOptions,
): tf.Tensor {
  const [y, ...rest] = runKernel<tf.Tensor[]>(
    KERNEL,
    mask ? { projected, mask } : { projected },
    attributes,
  ) as [tf.Tensor, ...tf.Tensor[]];
  disposeSaved(rest);
  return y;
}

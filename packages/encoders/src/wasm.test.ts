import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallAudioEncoder } from './small-audio-encoder.js';
import { smallImageEncoder } from './small-image-encoder.js';
import { transformer } from './transformer.js';

const small = { layers: 1, heads: 2, width: 8, feedForward: 12, dropout: 0 };
const cases = {
  'small audio': {
    model: () => smallAudioEncoder({ name: 'a', inputShape: [16, 20, 1], seed: 0 }),
    shapes: [[4, 16, 20, 1]],
    kernels: { Conv2D: 3, FusedConv2D: 1, G2dWasmBatchNormRelu: 4 },
  },
  'small image': {
    model: () => smallImageEncoder({ name: 'b', inputShape: [12, 12, 1], seed: 0 }),
    shapes: [[4, 12, 12, 1]],
    kernels: { Conv2D: 3, G2dWasmBatchNormRelu: 3 },
  },
  'Transformer with a mask': {
    model: () => transformer({ name: 'c', inputShape: [7, 5], seed: 0, ...small, paddingMask: true }),
    shapes: [
      [4, 7, 5],
      [4, 7],
    ],
    kernels: { G2dWasmAttention: 1, G2dWasmLayerNorm: 2 },
  },
};

/** y, and the gradients of all weights of a sum of it. */
function passes(model: tf.LayersModel, inputs: tf.Tensor[]): number[][] {
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  let y: number[] = [];
  const { grads } = tf.variableGrads(() => {
    const output = model.apply(inputs, { training: true }) as tf.Tensor;
    y = [...output.dataSync()];
    const weights = tf.tensor(
      y.map((_, i) => Math.sin(i + 1)),
      output.shape,
    );
    return tf.sum(tf.mul(output, weights)) as tf.Scalar;
  }, variables);
  return [y, ...variables.map(({ name }) => [...grads[name]!.dataSync()])];
}

// The numbers are right on plain layers too; kernels are counted to notice when the compiler stops recognizing an encoder.
describe('encoders on wasm', () => {
  beforeAll(async () => {
    await loadTensorFlow({ backend: 'wasm', quiet: true });
  });

  it.each(Object.entries(cases))('give the numbers of plain JavaScript: %s', async (_, one) => {
    const model = one.model();
    const inputs = one.shapes.map((shape) =>
      shape.length > 2 ? tf.randomNormal(shape, 0, 1, 'float32', 3) : tf.ones(shape),
    );
    const counts: Record<string, number> = {};
    const { kernels } = await tf.profile(() => void passes(model, inputs));
    for (const { name } of kernels) if (name in one.kernels) counts[name] = (counts[name] ?? 0) + 1;
    expect(counts).toEqual(one.kernels);
    const found = passes(model, inputs);
    await tf.setBackend('cpu');
    const wanted = passes(model, inputs);
    await tf.setBackend('wasm');
    const largest = Math.max(...wanted.flat().map(Math.abs));
    wanted.forEach((values, i) =>
      expectTensorClose(tf.tensor1d(found[i]!), values, { atol: 1e-5 * largest }),
    );
  });
});
